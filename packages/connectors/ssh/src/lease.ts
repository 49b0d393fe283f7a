import { createHash } from 'node:crypto';
import type { LaunchRequest, Machine, MachineRequest, MachineState, Resource } from '@paceline/engine/connector';
import * as z from 'zod';
import type { Host } from './inventory.ts';

const recordSchema = z.object({
  engine: z.string(),
  run: z.string(),
  node: z.string(),
  token: z.string(),
  index: z.int(),
  name: z.string(),
  createdAt: z.number(),
});

/** What an engine leaves at a host of its lease. */
export type LeaseRecord = z.infer<typeof recordSchema>;

/** A lease as its host tells it. */
export interface Lease {
  id: string;
  state: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  record: LeaseRecord;
}

/** The name of a machine's lease: the same for every repetition of its launch. */
export function leaseId(request: LaunchRequest, { index }: MachineRequest): string {
  const { engine, run, node } = request.owner;
  return createHash('sha256')
    .update(JSON.stringify([engine, run, node, request.token, index]))
    .digest('hex')
    .slice(0, 16);
}

export function recordOf(request: LaunchRequest, { index, name }: MachineRequest, now: number): LeaseRecord {
  return { ...request.owner, token: request.token, index, name, createdAt: now };
}

/** The id of a machine: its host, its lease, and when that ends, in seconds since the epoch. */
export interface MachineId {
  host: string;
  lease: string;
  expires: number;
}

export function machineId({ host, lease, expires }: MachineId): string {
  return `${host}:${lease}:${expires}`;
}

export function parseMachineId(id: string): MachineId | undefined {
  const [, host, lease, expires] = /^([^:]+):([0-9a-f]{16}):(\d+)$/.exec(id) ?? [];
  return host === undefined || lease === undefined ? undefined : { host, lease, expires: Number(expires) };
}

/** Reads what a host lists. A line that is none of ours is nothing that we could end. */
export function parseLeases(text: string): Lease[] {
  return text.split('\n').flatMap((line) => {
    const [, id = '', state = '', expires, record = ''] = /^([0-9a-f]{16}) ([a-z]+) (\d+) (.*)$/.exec(line) ?? [];
    const parsed = recordSchema.safeParse(fromJson(record));
    return parsed.success ? [{ id, state, expiresAt: Number(expires) * 1000, record: parsed.data }] : [];
  });
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const states: Record<string, { state: MachineState; fault?: string }> = {
  pending: { state: 'pending' },
  running: { state: 'running' },
  stopping: { state: 'stopping' },
  stopped: { state: 'stopped', fault: 'none of its processes is left; the console says more' },
  restarted: { state: 'stopped', fault: 'its host was restarted' },
  lost: { state: 'error', fault: 'it was never started: its keeper on the host is gone' },
};

export function machineOf(host: Host, { id, state, expiresAt, record }: Lease): Machine {
  return {
    id: machineId({ host: host.name, lease: id, expires: expiresAt / 1000 }),
    index: record.index,
    name: record.name,
    ...(states[state] ?? { state: 'error', fault: `its host says that it is ${state}` }),
    publicIps: [],
    privateIps: [host.address],
    login: host.access.user,
    createdAt: new Date(record.createdAt),
  };
}

export function resourceOf(host: Host, lease: Lease): Resource {
  const { engine, run, node, token, name } = lease.record;
  const machine = machineOf(host, lease);
  return { kind: 'machine', id: machine.id, name, owner: { engine, run, node }, token, expiresAt: new Date(lease.expiresAt), machine };
}
