import { expect, test, vi } from 'vitest';
import { ConnectorError, type Connector } from '../connector/index.ts';
import type { Engine } from '../engine/engine.ts';
import { end } from '../lifecycle/advance.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { newWorld, openEngine, startRun, type World } from '../testing/test-engine.ts';

/**
 * A run of machines of which some cannot be ended as long as they are held.
 * @param refuse what the cloud does then
 * @param held which of them
 */
async function cancelled(
  refuse: () => Promise<never>,
  { multiplicity = 9, at = [4] } = {},
): Promise<{ world: World; engine: Engine; id: string; held: Set<string>; batches: number[] }> {
  const world = newWorld();
  const id = await startRun(world, planOf({ n: nodeOf({ multiplicity }) }));
  const engine = await openEngine(world);
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(multiplicity));
  const held = new Set([...world.cloud.machines.keys()].filter((_, index) => at.includes(index)));
  const { connector } = world.cloud;
  const terminate: Connector['terminate'] = connector.terminate.bind(connector);
  const batches: number[] = [];
  connector.terminate = (ids, context) => {
    batches.push(ids.length);
    return ids.some((each) => held.has(each)) ? refuse() : terminate(ids, context);
  };
  await (await engine.activeRun(id)).decide((run, now) => end(run, 'Cancelled', 'a test', now));
  return { world, engine, id, held, batches };
}

async function onlyHeldIsLeft({ world, engine, id, held }: Awaited<ReturnType<typeof cancelled>>, stepMs: number): Promise<void> {
  await vi.waitFor(
    async () => {
      world.clock.pass(stepMs);
      expect([...world.cloud.machines.keys()]).toEqual([...held]);
      expect((await engine.runDetail(id)).instances.filter(({ stage }) => stage !== 'gone')).toHaveLength(held.size);
    },
    { timeout: 10_000 },
  );
  expect((await engine.runDetail(id)).state).toBe('Finalizing');
}

async function comesToItsEnd({ world, engine, id, held }: Awaited<ReturnType<typeof cancelled>>): Promise<void> {
  held.clear();
  await vi.waitFor(async () => {
    world.clock.pass(60_000);
    expect((await engine.runDetail(id)).state).toBe('Cancelled');
  });
}

test('a machine that the cloud does not end keeps no other of its batch', async () => {
  const run = await cancelled(() => Promise.reject(new ConnectorError('forbidden', 'it is protected')));
  await onlyHeldIsLeft(run, 0);
  expect(run.batches).toEqual([9, 4, 5, 2, 3, 1, 1]);
  const left = (await run.engine.runDetail(run.id)).instances.filter(({ fault }) => fault !== null);
  expect(left.map(({ name, fault }) => [name, fault])).toEqual([['n.5', 'it is protected']]);
  await comesToItsEnd(run);
  expect(run.world.cloud.machines.size).toBe(0);
});

test.each([
  [[4], 9],
  [[0], 40],
  [[0, 5, 10, 15, 20, 25, 30, 35], 40],
])('machines for which the cloud never answers keep no others for ever: %j of %i', async (at, multiplicity) => {
  const run = await cancelled(() => new Promise(() => {}), { at, multiplicity });
  await onlyHeldIsLeft(run, 30_000);
  await comesToItsEnd(run);
  expect(run.world.cloud.machines.size).toBe(0);
});

test('what is gone is told while the cloud does not answer for the others', async () => {
  const run = await cancelled(() => new Promise(() => {}));
  const gone = async (): Promise<number> => (await run.engine.runDetail(run.id)).instances.filter(({ stage }) => stage === 'gone').length;
  await vi.waitFor(
    async () => {
      run.world.clock.pass(10_000);
      expect(await gone()).toBeGreaterThan(0);
    },
    { timeout: 10_000 },
  );
  // Nothing has answered for the half of the one that is held, or it would be over with all but that one.
  expect(await gone()).toBe(4);
  await comesToItsEnd(run);
});
