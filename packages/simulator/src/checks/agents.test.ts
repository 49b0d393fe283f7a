import type { JoinRequest } from '@paceline/api/agent';
import { expect, test } from 'vitest';
import { hashOf } from '../agents/key.ts';
import { Bench, runId } from '../testing/bench.ts';

const request = (keyHash: string): JoinRequest => ({
  run: runId,
  instance: 'server.1',
  secret: 'secret',
  keyHash,
  agentVersion: '0',
  nodeVersion: '24',
  bootId: '1',
});

test('nobody hears of what is not stored: a join', () => {
  const bench = new Bench();
  bench.join();
  bench.checks.agents.joined(request('key of server.1'));
  expect(bench.broken).toBeUndefined();
  bench.checks.agents.joined(request('another key'));
  expect(bench.broken).toBe('nobody hears of what is not stored');
});

test('nobody hears of what is not stored: work', () => {
  const bench = new Bench();
  const assignment = { seq: 1, state: 'Executing' as const, abort: null, steps: [], completed: false };
  bench.checks.agents.assigned({ run: runId, instance: 'server.1' }, assignment);
  expect(bench.broken).toBeUndefined();
  bench.checks.agents.assigned({ run: runId, instance: 'server.1' }, { ...assignment, seq: 2 });
  expect(bench.broken).toBe('nobody hears of what is not stored');
});

test('the secret of a machine is good once', () => {
  const bench = new Bench();
  bench.join();
  expect(bench.broken).toBeUndefined();
  bench.commit({ instances: { 'server.1': { keyHash: 'another key' } } });
  expect(bench.broken).toBe('the secret of a machine is good once');
});

test('nobody joins without the secret', () => {
  const bench = new Bench();
  bench.checks.agents.intruded('somebody');
  expect(bench.broken).toBe('nobody joins without the secret');
});

test('no more machines fail than a node tolerates', () => {
  const bench = new Bench();
  bench.commit({ instances: { 'client.1': { dropped: true } } });
  expect(bench.broken).toBeUndefined();
  bench.commit({ instances: { 'client.2': { dropped: true } } });
  expect(bench.broken).toBe('no more machines fail than a node tolerates');
});

test('a machine that is waited for is let in', () => {
  const refuse = (bench: Bench, token = 'token'): void => {
    bench.checks.agents.equipped('secret', token);
    bench.checks.agents.refused(bench.engine, request('key'));
  };
  const ending = new Bench({ outcome: 'Cancelled' });
  refuse(ending);
  expect(ending.broken).toBeUndefined();
  const launchedElsewhere = new Bench();
  refuse(launchedElsewhere, 'token of the cloud that had no room');
  expect(launchedElsewhere.broken).toBeUndefined();
  const awaited = new Bench();
  refuse(awaited);
  expect(awaited.broken).toBe('a machine that is waited for is let in');
});

test('an agent that has joined is never turned away', () => {
  const bench = new Bench();
  bench.commit({ instances: { 'server.1': { keyHash: hashOf('key') } } });
  bench.checks.agents.turnedAway(bench.engine, 'a key that nobody has');
  expect(bench.broken).toBeUndefined();
  bench.checks.agents.turnedAway(bench.engine, 'key');
  expect(bench.broken).toBe('an agent that has joined is never turned away');
});
