import { describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../run/event.ts';
import type { Engine } from './engine.ts';
import { leaseMs } from './ownership.ts';
import { clientServerPlan } from '../testing/plans.ts';
import {
  bringUp,
  freeze,
  instanceIn,
  joinFromUserData,
  newWorld,
  openEngine,
  startRun,
  TestAgent,
  wake,
  type World,
} from '../testing/test-engine.ts';

function sharedWorld(): World {
  const world = newWorld();
  world.database.shared = true;
  return world;
}

/** Lets time pass in small steps, each with what it brings. */
async function pass(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    world.clock.pass(250);
    for (let i = 0; i < 4; i++) await new Promise(setImmediate);
  }
}

const set = { op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false } as const;
const driven = (engine: Engine, id: string): boolean => engine.findActive(id) !== undefined;

describe('replicas of one store', () => {
  it('drive each run once, and leave alone what another one drives', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const second = await openEngine(world);
    await pass(world, 3 * leaseMs);
    expect([driven(engine, id), driven(second, id)]).toEqual([true, false]);
  });

  it('take over from one that is closed at once, and from one that dies after the time of a lease', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const second = await openEngine(world);
    await engine.close();
    await vi.waitFor(() => expect(driven(second, id)).toBe(true));
    freeze(second, 'dead');
    const third = await openEngine(world);
    await pass(world, leaseMs - 1000);
    expect(driven(third, id)).toBe(false);
    await pass(world, 2000);
    await vi.waitFor(() => expect(driven(third, id)).toBe(true));
    const apache = new TestAgent(third, 'key-apache.1').connect();
    await apache.say(set);
    expect((await third.run(id)).parameters.get('apache.1:ready')?.value).toBe('true');
  });

  it('one that was asleep for longer neither answers, nor writes, nor acts for runs that are others’ now', async () => {
    const world = sharedWorld();
    const { engine, id, agents } = await bringUp(world);
    const second = await openEngine(world);
    freeze(engine, 'asleep');
    await pass(world, leaseMs + 5000);
    await vi.waitFor(() => expect(driven(second, id)).toBe(true));
    const calls = world.cloud.calls.length;
    await expect(agents.get('apache.1')?.say(set)).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED' });
    await second.findActive(id)?.terminate('a user');
    await vi.waitFor(async () => expect((await second.runDetail(id)).state).toBe('Cancelled'));
    wake(engine);
    await pass(world, leaseMs);
    expect(world.cloud.calls.slice(calls).filter((call) => call === 'terminate')).toHaveLength(1);
    expect([driven(engine, id), driven(second, id)]).toEqual([false, false]);
    expect((await engine.runDetail(id)).state).toBe('Cancelled');
  });

  it('forget those who have left: one that comes back is given the time of a lease', async () => {
    const world = sharedWorld();
    const { engine } = await bringUp(world);
    const other = { id: 'other', url: 'http://127.0.0.1:2', beats: 7 };
    await engine.store.addReplica(other);
    await pass(world, 5000);
    await engine.store.buryReplica(other);
    await pass(world, leaseMs);
    await engine.store.addReplica(other);
    await pass(world, leaseMs - 5000);
    expect((await engine.store.replicas()).map(({ id }) => id)).toContain('other');
    await pass(world, 10_000);
    expect((await engine.store.replicas()).map(({ id }) => id)).not.toContain('other');
  });

  it('have one key: with another one nothing that was launched would be found', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const other = { ...world, key: Buffer.alloc(32, 8) };
    const refusal = { code: 'PACELINE_STORE_FAILED', message: expect.stringContaining('another key') };
    await expect(openEngine(other)).rejects.toMatchObject(refusal);
    await engine.findActive(id)?.terminate('a user');
    await vi.waitFor(async () => expect((await engine.runDetail(id)).endedAt).not.toBeNull());
    await expect(openEngine(other)).rejects.toMatchObject(refusal);
    await engine.close();
  });

  it('may have another key when nothing is left of the old one', async () => {
    const world = sharedWorld();
    await (await openEngine(world)).close();
    const engine = await openEngine({ ...world, key: Buffer.alloc(32, 8) });
    await expect(openEngine(world)).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED' });
    await engine.close();
  });

  it('cannot store on top of what another one has stored, even when it believes that it holds the run', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    await world.database.transaction([{ sql: 'UPDATE runs SET revision = revision + 1, owner = ? WHERE id = ?', values: ['a thief', id] }]);
    await expect(engine.findActive(id)?.write('ss:url.service', 'x', false)).rejects.toMatchObject({
      code: 'PACELINE_STORE_FAILED',
      status: 503,
    });
    await vi.waitFor(() => {
      world.clock.pass(100);
      expect(driven(engine, id)).toBe(false);
    });
    expect((await engine.run(id)).parameters.has('ss:url.service')).toBe(false);
  });

  it('one whose clock is set back stops acting in time all the same', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const read = async (): Promise<unknown> => engine.findActive(id)?.read('apache.1:ready');
    await read();
    world.database.failure = new Error('no connection');
    world.clock.set(-3_600_000);
    await pass(world, leaseMs);
    await expect(read()).rejects.toMatchObject({ status: 503 });
  });

  it('one whose clock is set forward takes nobody for dead', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const second = await openEngine(world);
    await pass(world, leaseMs);
    // It is silent for longer than between two looks, and for less than a lease.
    freeze(engine, 'asleep');
    await pass(world, leaseMs * 0.3);
    world.clock.set(60_000);
    await pass(world, leaseMs * 0.3);
    wake(engine);
    await pass(world, leaseMs);
    expect([driven(engine, id), driven(second, id)]).toEqual([true, false]);
  });

  it('one that cannot tell that it lives gives up what it asks of a cloud before others take its runs, and asks again when it can', async () => {
    const world = sharedWorld();
    const asked: AbortSignal[] = [];
    world.cloud.connector.launch = (_request, { signal }) => {
      asked.push(signal);
      return new Promise(() => {});
    };
    await startRun(world, clientServerPlan(1));
    await openEngine(world);
    await pass(world, 3 * leaseMs);
    const first = [...asked];
    expect(first.length).toBeGreaterThan(0);
    expect(first.filter(({ aborted }) => aborted)).toEqual([]);
    world.database.failure = new Error('no connection');
    await pass(world, leaseMs - 1000);
    expect(asked).toEqual(first);
    expect(first.filter(({ aborted }) => !aborted)).toEqual([]);
    world.database.failure = undefined;
    await pass(world, 2 * leaseMs);
    expect(asked.length).toBeGreaterThan(first.length);
    expect(asked.at(-1)?.aborted).toBe(false);
  });

  it.each([0, 500, 1000, 1500, 2000])(
    'keep their runs when the database was away from all of them, and came back %i ms later',
    async (later) => {
      const world = sharedWorld();
      const { engine, id } = await bringUp(world);
      await pass(world, 1250);
      const second = await openEngine(world);
      await pass(world, leaseMs);
      const all = world.database.all.bind(world.database);
      world.database.failure = new Error('no connection');
      world.database.all = () => Promise.reject(new Error('no connection'));
      await pass(world, 6 * leaseMs + later);
      world.database.failure = undefined;
      world.database.all = all;
      await pass(world, 3 * leaseMs);
      expect([driven(engine, id), driven(second, id)]).toEqual([true, false]);
    },
  );

  it('show each other’s runs live to those who follow them, also while they change hands', async () => {
    const world = sharedWorld();
    const { engine, id, agents } = await bringUp(world);
    const second = await openEngine(world);
    const third = await openEngine(world);
    const seen: RunEvent[] = [];
    const following = (async () => {
      for await (const page of second.followEvents(id, 0, AbortSignal.timeout(20_000))) seen.push(...page);
    })();
    await agents.get('apache.1')?.say(set);
    await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ message: 'apache.1:ready = true' }));
    await engine.close();
    const owner = await vi.waitFor(() => {
      const [taken] = [second, third].flatMap((each) => each.findActive(id) ?? []);
      if (taken === undefined) throw new Error('nobody has it yet');
      return taken;
    });
    await owner.terminate('a user');
    await following;
    expect(seen.at(-1)).toMatchObject({ type: 'run.state', message: 'Cancelled' });
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_event, index) => index + 1));
    const late: RunEvent[] = [];
    for await (const page of third.followEvents(id, 3, AbortSignal.timeout(5000))) late.push(...page);
    expect(late).toEqual(seen.slice(3));
  });

  it('ask an agent to come back whose run is not there yet, and turn a stranger away', async () => {
    const world = sharedWorld();
    const { id } = await bringUp(world, clientServerPlan(1));
    const second = await openEngine(world);
    await expect(second.authenticate(`pla_${id}_secret`)).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED', status: 503 });
    await expect(second.authenticate('pla_a1b2c3d4-0000-4000-8000-00000000ffff_secret')).rejects.toMatchObject({ status: 401 });
    await expect(second.authenticate('anything')).rejects.toMatchObject({ status: 401 });
    const [machine] = world.cloud.machines.values();
    await expect(joinFromUserData(second, machine?.userData ?? '', instanceIn(machine?.userData ?? ''))).rejects.toMatchObject({
      status: 503,
    });
  });
});
