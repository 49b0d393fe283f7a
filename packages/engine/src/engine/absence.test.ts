import { expect, it, vi } from 'vitest';
import type { Engine } from './engine.ts';
import { clientServerPlan } from '../testing/plans.ts';
import {
  bringUp,
  completeAll,
  freeze,
  instanceIn,
  joinFromUserData,
  newWorld,
  openEngine,
  startRun,
  TestAgent,
  type World,
} from '../testing/test-engine.ts';

const tenMinutes = 600_000;

/** The server dies, and another one comes ten minutes later, on whose address its machines have called in vain until then. */
async function away(world: World, engine: Engine): Promise<Engine> {
  freeze(engine, 'dead');
  world.clock.pass(tenMinutes);
  // Whoever waits for these answers is dead.
  delete world.cloud.gates.launch;
  delete world.cloud.gates.terminate;
  const next = await openEngine(world);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  return next;
}

function back(engine: Engine): Map<string, TestAgent> {
  return new Map(['apache.1', 'testclient.1'].map((name) => [name, new TestAgent(engine, `key-${name}`).connect()]));
}

/** From Executing until nothing is left. */
async function finish(world: World, engine: Engine, id: string, agents: Map<string, TestAgent>, from = 'Executing'): Promise<void> {
  for (const [state, next] of [
    ['Executing', 'SendingReports'],
    ['SendingReports', 'Ready'],
  ] as const) {
    if (from === 'SendingReports' && state === 'Executing') continue;
    await completeAll(engine, id, agents);
    await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe(next));
  }
  await engine.terminate(id, 'a user');
  await ended(world, engine, id);
}

async function ended(world: World, engine: Engine, id: string): Promise<void> {
  await vi.waitFor(async () => {
    world.clock.pass(2000);
    expect((await engine.runDetail(id)).state).toBe('Done');
  });
  expect(world.cloud.machines.size).toBe(0);
}

async function comeUp(world: World, engine: Engine, id: string): Promise<Map<string, TestAgent>> {
  await vi.waitFor(() => {
    world.clock.pass(1000);
    expect(world.cloud.machines.size).toBe(2);
  });
  const agents = new Map<string, TestAgent>();
  for (const { userData, place } of world.cloud.machines.values()) {
    const name = instanceIn(userData, place);
    agents.set(name, (await joinFromUserData(engine, userData, `key-${name}`, place)).connect());
  }
  await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Executing'));
  return agents;
}

it('a run goes on whose server was away for ten minutes after a launch that nobody heard the end of', async () => {
  const world = newWorld();
  const id = await startRun(world, clientServerPlan());
  const first = await openEngine(world, () => void (world.cloud.gates.launch = new Promise(() => {})));
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
  const engine = await away(world, first);
  await finish(world, engine, id, await comeUp(world, engine, id));
});

it('a run goes on whose server was away for ten minutes while its machines booted', async () => {
  const world = newWorld();
  const id = await startRun(world, clientServerPlan());
  const first = await openEngine(world);
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
  await vi.waitFor(async () => expect((await first.runDetail(id)).instances.map(({ stage }) => stage)).toEqual(['booting', 'booting']));
  const engine = await away(world, first);
  world.clock.pass(60_000);
  await finish(world, engine, id, await comeUp(world, engine, id));
});

it.each(['Executing', 'SendingReports'] as const)('a run goes on whose server was away for ten minutes in %s', async (state) => {
  const world = newWorld();
  const { engine: first, id, agents } = await bringUp(world, clientServerPlan());
  await agents.get('apache.1')?.say({ op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false });
  if (state === 'SendingReports') {
    await completeAll(first, id, agents);
    await vi.waitFor(async () => expect((await first.runDetail(id)).state).toBe(state));
  }
  const engine = await away(world, first);
  expect((await engine.runDetail(id)).state).toBe(state);
  expect((await engine.run(id)).parameters.get('apache.1:ready')?.value).toBe('true');
  await finish(world, engine, id, back(engine), state);
});

it('a run stays Ready whose server was away for ten minutes', async () => {
  const world = newWorld();
  const { engine: first, id, agents } = await bringUp(world, clientServerPlan());
  for (const state of ['SendingReports', 'Ready']) {
    await completeAll(first, id, agents);
    await vi.waitFor(async () => expect((await first.runDetail(id)).state).toBe(state));
  }
  const engine = await away(world, first);
  for (let minute = 0; minute < 5; minute++) {
    world.clock.pass(60_000);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  }
  expect(await engine.runDetail(id)).toMatchObject({ state: 'Ready', abort: null });
  await engine.terminate(id, 'a user');
  await ended(world, engine, id);
});

it('a run ends whose server was away for ten minutes in Finalizing, with what the cloud was asked for and nobody heard of', async () => {
  const world = newWorld();
  const { engine: first, id, agents } = await bringUp(world, clientServerPlan());
  for (const state of ['SendingReports', 'Ready']) {
    await completeAll(first, id, agents);
    await vi.waitFor(async () => expect((await first.runDetail(id)).state).toBe(state));
  }
  world.cloud.gates.terminate = new Promise(() => {});
  await first.terminate(id, 'a user');
  await vi.waitFor(() => expect(world.cloud.calls).toContain('terminate'));
  const engine = await away(world, first);
  await ended(world, engine, id);
});
