import { expect, test, vi } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { end } from '../lifecycle/advance.ts';
import { lostAnswer } from '../testing/fake-cloud.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { bringUp, newWorld, openEngine, startRun, type World } from '../testing/test-engine.ts';

const ours = 'fake account 1 here';
const other = 'fake account 2 here';
const id = 'a1b2c3d4-0000-4000-8000-000000000000';

function worldIn(account: string): World {
  const world = newWorld();
  world.cloud.enter(account);
  return world;
}

/** Long enough for whatever is tried again to have been tried again. */
async function wait(world: World, times = 20): Promise<void> {
  for (let i = 0; i < times; i++) {
    world.clock.pass(30_000);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  }
}

async function cancel(engine: Engine, run = id): Promise<void> {
  await (await engine.activeRun(run)).decide((found, now) => end(found, 'Cancelled', 'a test', now));
}

async function ends(world: World, engine: Engine, state = 'Cancelled', run = id): Promise<void> {
  await vi.waitFor(async () => {
    world.clock.pass(60_000);
    expect((await engine.runDetail(run)).state).toBe(state);
  });
}

async function complaints(engine: Engine): Promise<unknown[]> {
  return (await engine.store.events(id, 0, 1000))
    .filter(({ type }) => type === 'cloud.failing')
    .map(({ data, message }) => ({ message, data }));
}

const complaint = {
  message: expect.stringContaining(`the credentials for the cloud test lead to ${other}, and the machines of this run are in ${ours}`),
  data: { cloud: 'test', code: 'PACELINE_CLOUD_ACCOUNT' },
};

test('the account is stored before the cloud hears of the first launch', async () => {
  const world = worldIn(ours);
  await startRun(world, planOf({ n: nodeOf() }));
  const stored: Promise<unknown>[] = [];
  world.cloud.onLaunch = () =>
    void stored.push(world.database.all('SELECT facts FROM runs', []).then(([row]) => JSON.parse(String(row?.['facts'])) as unknown));
  await openEngine(world);
  await vi.waitFor(() => expect(stored).toHaveLength(1));
  expect(await stored[0]).toMatchObject({ accounts: { test: ours } });
});

test('nothing is launched with credentials of another account, and what may have been launched is looked for until they are back', async () => {
  const world = worldIn(ours);
  world.cloud.faults.push(lostAnswer('launch'));
  world.cloud.onLaunch = () => world.cloud.enter(other);
  await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
  const engine = await openEngine(world);
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
  await wait(world);
  expect((await engine.runDetail(id)).state).toBe('Finalizing');
  expect((await engine.runDetail(id)).abort?.reason).toContain(`Give the cloud test credentials of ${ours}`);
  expect([...world.cloud.machines.values()].map(({ account }) => account)).toEqual([ours, ours]);
  world.cloud.enter(ours);
  await ends(world, engine, 'Aborted');
  expect(world.cloud.machines.size).toBe(0);
});

test('a machine that another account does not show is not lost', async () => {
  const world = worldIn(ours);
  const { engine, agents } = await bringUp(world);
  world.cloud.enter(other);
  agents.get('apache.1')?.disconnect();
  await wait(world);
  const { state, instances } = await engine.runDetail(id);
  expect({ state, faults: instances.map(({ fault }) => fault) }).toEqual({ state: 'Executing', faults: [null, null, null] });
  expect(await complaints(engine)).toEqual([complaint]);
});

test('a machine that another account does not show is not gone', async () => {
  const world = worldIn(ours);
  const { engine } = await bringUp(world);
  world.cloud.enter(other);
  await cancel(engine);
  await wait(world);
  expect((await engine.runDetail(id)).state).toBe('Finalizing');
  expect((await engine.runDetail(id)).instances.map(({ fault }) => fault)).toContainEqual(complaint.message);
  expect(await complaints(engine)).toEqual([complaint]);
  expect(world.cloud.machines.size).toBe(3);
  world.cloud.enter(ours);
  await ends(world, engine);
  expect(world.cloud.machines.size).toBe(0);
});

test('a machine that another account does not show keeps its disk, and is not given another size', async () => {
  const world = worldIn(ours);
  const { engine } = await bringUp(world);
  const asked: string[] = [];
  world.cloud.connector.detachDisk = async (machine) => void asked.push(machine);
  world.cloud.enter(other);
  await (
    await engine.activeRun(id)
  ).decide((run) => {
    const disks = [{ id: 'disk', device: '/dev/vdb', gib: 1 }];
    const wanted = { kind: 'detachDisk', device: '/dev/vdb' } as const;
    return [...run.instances.keys()].slice(0, 1).map((name) => ({ kind: 'machine', name, patch: { disks, wanted } }));
  });
  await wait(world, 3);
  expect(asked).toEqual([]);
  const { machine } = (await engine.run(id)).instances.get('apache.1') ?? {};
  expect(machine).toMatchObject({ disks: [{ id: 'disk' }], fault: complaint.message });
});

test('nothing is left only in the account in which there was something, also when it changes in the middle of a call', async () => {
  const world = worldIn(ours);
  const { engine } = await bringUp(world);
  const [machine] = world.cloud.machines.values();
  if (machine !== undefined) world.cloud.machines.set('i-unheard-of', { ...machine, id: 'i-unheard-of' });
  const { connector } = world.cloud;
  const list = connector.list.bind(connector);
  connector.list = (...asked) => {
    world.cloud.enter(other);
    return list(...asked);
  };
  await cancel(engine);
  await wait(world);
  expect((await engine.runDetail(id)).state).toBe('Finalizing');
  expect([...world.cloud.machines.keys()]).toEqual(['i-unheard-of']);
  connector.list = list;
  world.cloud.enter(ours);
  await ends(world, engine);
  expect(world.cloud.machines.size).toBe(0);
});

test('the next engine knows the account, too', async () => {
  const world = worldIn(ours);
  const { engine: first } = await bringUp(world);
  await first.close();
  world.cloud.enter(other);
  const engine = await openEngine(world);
  await cancel(engine);
  await wait(world);
  expect((await engine.runDetail(id)).state).toBe('Finalizing');
  expect(world.cloud.machines.size).toBe(3);
  world.cloud.enter(ours);
  await ends(world, engine);
  expect(world.cloud.machines.size).toBe(0);
});

test('a run that was stored before there were accounts takes the first that it sees', async () => {
  const world = newWorld();
  const { engine: first } = await bringUp(world);
  await first.close();
  const [row] = await world.database.all('SELECT facts FROM runs', []);
  const { accounts: _, ...facts } = JSON.parse(String(row?.['facts'])) as { accounts: unknown };
  await world.database.transaction([{ sql: 'UPDATE runs SET facts = ?', values: [JSON.stringify(facts)] }]);
  world.cloud.enter(ours);
  for (const machine of world.cloud.machines.values()) machine.account = ours;
  const engine = await openEngine(world);
  await cancel(engine);
  await ends(world, engine);
  expect(world.cloud.machines.size).toBe(0);
  expect((await engine.run(id)).facts.accounts).toEqual({ test: ours });
});

test('a run in another account keeps nobody from the cloud', async () => {
  const world = worldIn(ours);
  const { engine } = await bringUp(world);
  world.cloud.enter(other);
  await cancel(engine);
  await wait(world);
  expect((await engine.reap(false)).accounts).toEqual([{ cloud: 'test', account: other }]);
  const second = await startRun(world, planOf({ n: nodeOf() }), 'b1b2c3d4-0000-4000-8000-000000000000');
  await engine.close();
  const next = await openEngine(world);
  await wait(world, 3);
  expect((await next.runDetail(second)).instances.map(({ stage }) => stage)).toEqual(['booting']);
  expect([...world.cloud.machines.values()].map(({ account }) => account)).toEqual([ours, ours, ours, other]);
  await cancel(next, second);
  await ends(world, next, 'Cancelled', second);
  expect(world.cloud.machines.size).toBe(3);
});

test('a survey says that the machines are elsewhere', async () => {
  const world = worldIn(ours);
  const { engine } = await bringUp(world);
  expect(await engine.surveyClouds()).toEqual([expect.not.objectContaining({ failure: expect.anything() })]);
  world.cloud.enter(other);
  expect(await engine.surveyClouds()).toMatchObject([
    {
      failure: {
        code: 'auth',
        message: `the credentials for the cloud test lead to ${other}, and the machines of the run ${id} are in ${ours}`,
        hint: `Give the cloud test credentials of ${ours}.`,
      },
    },
  ]);
});

test('whoever reaps hears where was looked, and of the runs whose machines are elsewhere', async () => {
  const world = worldIn(ours);
  const { engine } = await bringUp(world);
  expect(await engine.reap(false)).toMatchObject({ accounts: [{ cloud: 'test', account: ours }], failures: [], seen: 3 });
  world.cloud.enter(other);
  const failures = [{ cloud: 'test', message: expect.stringContaining(`the machines of the run ${id} are in ${ours}`) }];
  expect(await engine.reap(false)).toMatchObject({ accounts: [{ cloud: 'test', account: other }], failures, seen: 0 });
  world.cloud.enter(ours);
  await cancel(engine);
  await ends(world, engine);
  world.cloud.enter(other);
  expect((await engine.reap(true)).failures).toEqual([]);
  expect((await engine.reap(true, [id])).failures).toEqual(failures);
});

test('what is no machine is removed only in the account in which it was seen', async () => {
  const world = worldIn(ours);
  const { engine } = await bringUp(world);
  const disks = new Set(['one', 'two']);
  const asked: string[] = [];
  const { connector } = world.cloud;
  const list = connector.list.bind(connector);
  connector.list = async function* (query, context) {
    yield* list(query, context);
    const owner = { engine: query.engine, run: id };
    if ((await connector.account?.(context)) === ours) for (const disk of disks) yield { kind: 'disk', id: disk, name: disk, owner };
  };
  connector.remove = async (resource, context) => {
    asked.push(`${resource.id} in ${await connector.account?.(context)}`);
    disks.delete(resource.id);
    if (disks.size === 1) world.cloud.enter(other);
  };
  await cancel(engine);
  await wait(world);
  expect((await engine.runDetail(id)).state).toBe('Finalizing');
  expect(asked).toEqual([`one in ${ours}`]);
  world.cloud.enter(ours);
  await ends(world, engine);
  expect(asked).toEqual([`one in ${ours}`, `two in ${ours}`]);

  // The same for those who reap.
  for (const disk of ['three', 'four']) disks.add(disk);
  expect((await engine.reap(true)).orphans.map(({ outcome }) => outcome)).toEqual(['kept', 'kept']);
  expect(asked.slice(2)).toEqual([`three in ${ours}`]);
});
