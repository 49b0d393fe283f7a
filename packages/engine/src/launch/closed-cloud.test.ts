import type { RunRequest } from '@paceline/api';
import { expect, test, vi } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { end } from '../lifecycle/advance.ts';
import { FakeCloud } from '../testing/fake-cloud.ts';
import { imageOf } from '../testing/plans.ts';
import { bringUp, newWorld, openEngine, type World } from '../testing/test-engine.ts';

const requestOf = (cloud: string): RunRequest => ({
  deployment: {
    kind: 'Deployment',
    name: 'shop',
    tags: [],
    module: 'shop',
    parameters: {},
    nodes: { web: { image: imageOf(), multiplicity: 2, cloud, maxProvisioningFailures: 0, parameters: {} } },
    keepRunning: 'on-success',
    timeoutMs: 60_000,
    lifetimeMs: 3_600_000,
    onStall: 'abort',
    digest: 'd'.repeat(64),
  },
});

const worldOfTwo = (): World => ({ ...newWorld(), others: { other: new FakeCloud() }, closed: ['test'] });
const refusal = { code: 'PACELINE_CLOUD_FAILED', message: 'The cloud test cannot be used: no route to host' };

async function settle(world: World): Promise<void> {
  for (let i = 0; i < 20; i++) {
    world.clock.pass(30_000);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  }
}

function open(engine: Engine, { cloud: { connector } }: World): void {
  engine.clouds.set({ name: 'test', connector });
}

test('a run that can go nowhere else is refused with the reason, and others go elsewhere', async () => {
  const world = worldOfTwo();
  const engine = await openEngine(world);
  for (const cloud of ['test', 'test:price']) await expect(engine.createRun(requestOf(cloud), 'me')).rejects.toMatchObject(refusal);
  await expect(engine.createRun(requestOf('test+other'), 'me')).rejects.toMatchObject({
    code: 'PACELINE_NO_ROOM',
    message: expect.stringContaining('test cannot be used: no route to host'),
  });
  for (const cloud of ['any', 'test,other']) {
    const { run } = await engine.createRun(requestOf(cloud), 'me');
    expect(run.instances.map((instance) => instance.cloud)).toEqual(['other', 'other']);
  }
  open(engine, world);
  expect((await engine.createRun(requestOf('test'), 'me')).run.instances.map((instance) => instance.cloud)).toEqual(['test', 'test']);
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
});

test('it is shown with the reason, and keeps nobody from looking into the others', async () => {
  const engine = await openEngine(worldOfTwo());
  const [first, second] = await engine.surveyClouds();
  expect(first).toEqual({ name: 'test', connector: 'fake', failure: { code: 'unavailable', message: 'no route to host' } });
  expect(second).toMatchObject({ name: 'other', account: { account: 'test' } });
  expect((await engine.reap(true)).failures).toEqual([{ cloud: 'test', message: refusal.message }]);
});

test('machines that are there are neither lost nor gone, and end when it is open again', async () => {
  const world = newWorld();
  const { engine: first, id } = await bringUp(world);
  await first.close();
  world.closed = ['test'];
  const engine = await openEngine(world);
  await settle(world);
  expect((await engine.runDetail(id)).state).toBe('Executing');
  await (await engine.activeRun(id)).decide((run, now) => end(run, 'Cancelled', 'a test', now));
  await settle(world);
  expect((await engine.runDetail(id)).state).toBe('Finalizing');
  expect(world.cloud.machines.size).toBe(3);
  open(engine, world);
  await vi.waitFor(async () => {
    world.clock.pass(60_000);
    expect((await engine.runDetail(id)).state).toBe('Cancelled');
  });
  expect(world.cloud.machines.size).toBe(0);
});

test('what may have been launched there is looked for when it is open again, after it can be seen', async () => {
  const world = newWorld();
  const first = await openEngine(world);
  world.cloud.gates.launch = new Promise(() => {});
  const { run } = await first.createRun(requestOf('test'), 'me');
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
  await first.close();
  delete world.cloud.gates.launch;
  world.closed = ['test'];
  for (const id of world.cloud.machines.keys()) world.cloud.hidden.add(id);
  const engine = await openEngine(world);
  open(engine, world);
  world.clock.pass(60_000);
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  world.cloud.hidden.clear();
  await settle(world);
  expect(world.cloud.calls.filter((call) => call === 'launch')).toHaveLength(1);
  expect((await engine.runDetail(run.id)).instances.map(({ stage }) => stage)).not.toContain('wanted');
});
