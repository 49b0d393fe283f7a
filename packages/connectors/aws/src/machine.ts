import type { Instance, InstanceStateName } from '@aws-sdk/client-ec2';
import { machineResource, type Machine, type MachineState, type Resource } from '@paceline/engine/connector';
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
  if (id === undefined || tags?.index === undefined) return undefined;
  const state = states[State?.Name ?? 'pending'];
  // EC2 says why a machine has ended by itself: for want of a spot, or an encrypted disk that cannot be read.
  const fault = StateReason?.Code?.startsWith('Server.') === true ? StateReason.Message : undefined;
  return {
    id,
    index: tags.index,
    name: nameOf(instance.Tags),
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
