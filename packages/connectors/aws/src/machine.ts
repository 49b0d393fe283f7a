import type { Instance, InstanceStateName } from '@aws-sdk/client-ec2';
import { indexOf, machineResource, type Machine, type MachineState, type Resource } from '@paceline/engine/connector';
import { nameOf, tagsIn } from './tags.ts';

const states: Record<InstanceStateName, MachineState> = {
  pending: 'pending',
  running: 'running',
  'shutting-down': 'stopping',
  terminated: 'terminated',
  stopping: 'stopping',
  stopped: 'stopped',
};

export const machineIds = /^i-[0-9a-f]{8,17}$/;

/** Undefined for machines that are not ours. */
export function toMachine(instance: Instance): Machine | undefined {
  const { InstanceId: id, State, LaunchTime, PublicIpAddress, PrivateIpAddress, StateReason } = instance;
  const tags = tagsIn(instance.Tags);
  const place = instance.AmiLaunchIndex;
  const index = tags && indexOf(tags, place);
  if (id === undefined || tags === undefined || index === undefined) return undefined;
  const state = states[State?.Name ?? 'pending'];
  // EC2 says why a machine has ended by itself: for want of a spot, or an encrypted disk that cannot be read.
  const fault = StateReason?.Code?.startsWith('Server.') === true ? StateReason.Message : undefined;
  return {
    id,
    index,
    // All machines of a call are tagged alike.
    name: tags.indices === undefined ? nameOf(instance.Tags) : `${nameOf(instance.Tags)}-${(place ?? 0) + 1}`,
    state,
    publicIps: PublicIpAddress === undefined || PublicIpAddress === '' ? [] : [PublicIpAddress],
    privateIps: PrivateIpAddress === undefined || PrivateIpAddress === '' ? [] : [PrivateIpAddress],
    ...(tags.login !== undefined && { login: tags.login }),
    createdAt: LaunchTime ?? new Date(0),
    ...(fault !== undefined && { fault }),
    ...(StateReason?.Code?.includes('Capacity') === true && { noRoom: true }),
  };
}

export function toResource(instance: Instance): Resource | undefined {
  return machineResource(toMachine(instance), tagsIn(instance.Tags));
}
