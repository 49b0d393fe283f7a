import type { Machine } from './machine.ts';
import type { Owner } from './owner.ts';

/** A batch of machines of one node. */
export interface LaunchRequest {
  /** 32 hexadecimal characters, the same whenever this launch is tried again: the cloud's idempotency token, and a tag. */
  token: string;
  owner: Owner;
  machines: MachineRequest[];
  /**
   * For `capabilities.sharedLaunch`: good for all of `machines`, if one call starts them all, and each learns from the cloud which of
   * them it is, in their order. It is of no use when one of them is there already: then each of the others gets its own user data.
   */
  shared?: { name: string; userData: Uint8Array };
  /** The native image, as the cloud names it; empty where the cloud has no images (`local`). */
  image: string;
  login?: string;
  cpus?: number;
  memoryMiB?: number;
  diskGiB?: number;
  ports: { port: number; protocol: 'tcp' | 'udp' }[];
  /** The engine comes to the machines by SSH: what their user data says of a loopback address is theirs alone. @default false */
  tunnelled?: boolean;
  /** When the machine must be gone, whoever is still there to end it. */
  expiresAt: Date;
}

export interface MachineRequest {
  /** The instance's number in its node. */
  index: number;
  /** Deterministic, at most 63 characters of `a-z0-9-`. Those of a shared launch are called `NAME-1`, `NAME-2` and so on instead. */
  name: string;
  /** Raw bytes, given to the machine unchanged. */
  userData: Uint8Array;
}

/** Of these the machines that a launch asks for, in its order, one for each number. */
export function machinesOf({ machines: wanted }: LaunchRequest, machines: readonly Machine[]): Machine[] {
  return wanted.flatMap(({ index }) => machines.find((machine) => machine.index === index) ?? []);
}
