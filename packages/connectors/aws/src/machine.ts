import type { Instance, InstanceStateName } from '@aws-sdk/client-ec2';
import type { Machine, MachineState, Resource } from '@paceline/engine/connector';
import { nameOf, readTags } from './tags.ts';

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
  const tags = readTags(instance.Tags);
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

export function machineResource(instance: Instance): Resource | undefined {
  const machine = toMachine(instance);
  const tags = readTags(instance.Tags);
  if (machine === undefined || tags === undefined) return undefined;
  const { owner, token, expiresAt } = tags;
  return {
    kind: 'machine',
    id: machine.id,
    name: machine.name,
    owner,
    ...(token !== undefined && { token }),
    ...(expiresAt !== undefined && { expiresAt }),
    machine,
  };
}
