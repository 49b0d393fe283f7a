import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** One meeting of `count` members, of which this is the one with `index`, from 1. */
export interface Meeting {
  name: string;
  index: number;
  count: number;
  /** What `prepare` has found. */
  base: number;
}

export interface Wait {
  /** Resolves when the server knows of the wait. */
  armed: Promise<unknown>;
  woken: Promise<unknown>;
}

/** One machine's connection to a system, with the least client code that is honest for it. */
export interface Member {
  /** Resolves when the server says that the value is stored. */
  set(key: string, value: string): Promise<unknown>;
  /** Waits for a key that has no value yet. */
  wait(key: string): Wait;
  /** Says that it is there, durably, and resolves when everybody has. */
  barrier(meeting: Meeting): Promise<unknown>;
  /** Publishes its address, durably, and resolves with the number of addresses it has got once everybody has. */
  exchange?(meeting: Meeting, address: string): Promise<number>;
  prepare?(meeting: string): Promise<number>;
}

/** A system under comparison, as it runs. */
export interface Running {
  /** What the process of its members has to know, by role and number from 1. */
  endpoint(role: Role, index: number): string;
  /** Of its processes, the one that the others come from. */
  pid: number;
  stop(): Promise<void>;
}

/** The processes beside the server: one that sets values with a few connections, one with all that wait. */
export type Role = 'writer' | 'member';

export interface Peer {
  name: string;
  /** When it says that a value is stored, and with which client. */
  terms: string;
  /** Whether thousands of members can be had in a reasonable time. */
  large?: boolean;
  /** @param counts how many connections each role will have @returns undefined when it is not installed */
  start(counts: Record<Role, number>): Promise<Running | undefined>;
  connect(endpoint: string, index: number): Promise<Member>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
