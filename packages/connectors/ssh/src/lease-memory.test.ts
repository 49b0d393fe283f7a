import { expect, test } from 'vitest';
import { hostsOf } from './inventory.ts';
import { LeaseMemory } from './lease-memory.ts';
import type { LeaseRecord } from './lease.ts';
import { configSchema } from './config.ts';
import { keyPairOf } from '@paceline/engine/ssh';

const [host] = hostsOf(configSchema.parse({ hosts: { a: { host: 'a', hostKey: keyPairOf(Buffer.alloc(32)).publicKey } } }));
if (host === undefined) throw new Error('there is no host');
const record: LeaseRecord = { engine: 'e', run: 'r', node: 'n', token: 't', index: 1, name: 'n-1', createdAt: 0 };
const query = { engine: 'e', run: 'r' };
const listing = (memory: LeaseMemory) => memory.list(host, () => Promise.resolve([]));

test('nobody knows what a host has that has never listed it', () => {
  expect(new LeaseMemory().mayHave(host, query, 0)).toBe(true);
});

test('what was asked for without an answer may be there until its end, whatever the host lists meanwhile', async () => {
  const memory = new LeaseMemory();
  await listing(memory);
  expect(memory.mayHave(host, query, 0)).toBe(false);
  await expect(memory.take(host, record, 1000, () => Promise.reject(new Error('silent')))).rejects.toThrow('silent');
  await listing(memory);
  expect(memory.mayHave(host, query, 999)).toBe(true);
  expect(memory.mayHave(host, { engine: 'e', run: 'r', token: 'another' }, 999)).toBe(false);
  expect(memory.mayHave(host, query, 1000)).toBe(false);
});

test('what is asked for while a host lists what it has counts', async () => {
  const memory = new LeaseMemory();
  const answer = Promise.withResolvers<never[]>();
  const list = memory.list(host, () => answer.promise);
  await memory.take(host, record, 1000, () => Promise.resolve('taken'));
  answer.resolve([]);
  await list;
  expect(memory.mayHave(host, query, 0)).toBe(true);
  await listing(memory);
  expect(memory.mayHave(host, query, 0)).toBe(false);
});

test('an answer that comes after that to a later question changes nothing', async () => {
  const memory = new LeaseMemory();
  const old = Promise.withResolvers<never[]>();
  const overtaken = memory.list(host, () => old.promise);
  await memory.take(host, record, 1000, () => Promise.resolve('taken'));
  await memory.list(host, () => Promise.resolve([{ id: 'a', state: 'running', expiresAt: 1000, record }]));
  old.resolve([]);
  await overtaken;
  expect(memory.mayHave(host, query, 0)).toBe(true);
});
