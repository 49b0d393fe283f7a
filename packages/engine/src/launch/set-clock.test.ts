import { expect, it, vi } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { end } from '../lifecycle/advance.ts';
import { lostAnswer, type Fault } from '../testing/fake-cloud.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { bringUp, newWorld, openEngine, startRun, type World } from '../testing/test-engine.ts';

const hour = 3_600_000;

/** So much time passes, in steps. */
async function pass(world: World, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5000) {
    world.clock.pass(Math.min(5000, left));
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }
}

const refusals = (method: Fault['method'], code: 'unavailable' | 'throttled', count: number) =>
  Array.from({ length: count }, () => ({ method, when: 'before', error: new ConnectorError(code, 'not now') }) as const);

it.each(['throttled', 'unavailable'] as const)('a clock that is set back puts off no end of machines: %s', async (code) => {
  const world = newWorld();
  const { engine, id } = await bringUp(world);
  // Of those that say that the cloud is broken, so many that it is left alone.
  world.cloud.faults.push(...refusals('terminate', code, 7));
  await (await engine.activeRun(id)).decide((run, now) => end(run, 'Cancelled', 'a test', now));
  await pass(world, 20_000);
  expect(world.cloud.machines.size).toBe(3);
  world.clock.set(-hour);
  await pass(world, 300_000);
  expect((await engine.runDetail(id)).state).toBe('Cancelled');
});

it('a clock that is set back puts off no look-up, and no sweep', async () => {
  const world = newWorld();
  world.cloud.capabilities.listConsistencyMs = 10_000;
  world.cloud.faults.push(lostAnswer('launch'));
  const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
  const engine = await openEngine(world);
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
  await pass(world, 500);
  world.clock.set(-hour);
  await pass(world, 60_000);
  expect((await engine.runDetail(id)).instances.map(({ stage }) => stage)).toEqual(['booting', 'booting']);
  await (await engine.activeRun(id)).decide((run, now) => end(run, 'Cancelled', 'a test', now));
  world.clock.set(-hour);
  await pass(world, 60_000);
  expect((await engine.runDetail(id)).state).toBe('Cancelled');
});

it('a clock that is set back hides no machine that dies', async () => {
  const world = newWorld();
  const { engine, id, agents } = await bringUp(world);
  world.clock.set(-hour);
  world.cloud.machines.clear();
  for (const agent of agents.values()) agent.disconnect();
  await pass(world, 60_000);
  expect((await engine.runDetail(id)).abort?.reason).toContain('the cloud does not know its machine any more');
});

it('a clock that is set forward ends no connection', async () => {
  const world = newWorld();
  const { agents } = await bringUp(world);
  world.clock.set(120_000);
  // Somebody goes, and the others are looked at.
  agents.get('apache.1')?.disconnect();
  await pass(world, 5000);
  expect([...agents.values()].map(({ closed }) => closed)).toEqual([0, 0, 0]);
});

it('a clock that is set forward does not cut the pause of a broken cloud', async () => {
  const world = newWorld();
  const { engine } = await bringUp(world);
  world.cloud.faults.push(...refusals('list', 'unavailable', 5));
  for (let i = 0; i < 5; i++) await engine.reap(false);
  world.clock.set(120_000);
  expect((await engine.reap(false)).failures).toEqual([{ cloud: 'test', message: expect.stringContaining('left alone') }]);
  world.clock.pass(15_000);
  expect((await engine.reap(false)).failures).toEqual([]);
});
