import type { LaunchRequest, Machine, MachineState } from '@paceline/engine/connector';

/** A machine as it really is, whatever its cloud says of it. */
export interface CloudMachine {
  readonly id: string;
  readonly index: number;
  readonly name: string;
  readonly token: string;
  readonly owner: LaunchRequest['owner'];
  readonly userData: Uint8Array;
  readonly address: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  /** Until then its cloud may leave it out of what it shows, in milliseconds since the beginning. */
  readonly visibleAt: number;
  state: MachineState;
  /** The cloud says where it is. */
  hasAddress: boolean;
  /** The cloud has said of it that it does not exist, although it does. */
  denied: boolean;
}

/** It costs nothing any more. */
export function hasVanished({ state }: CloudMachine): boolean {
  return state === 'terminated';
}

export function isUp({ state }: CloudMachine): boolean {
  return state === 'pending' || state === 'running';
}

/** What the cloud says of it. */
export function described(machine: CloudMachine): Machine {
  const { id, index, name, state, createdAt, address, hasAddress } = machine;
  return { id, index, name, state, createdAt, publicIps: [], privateIps: hasAddress ? [address] : [] };
}
