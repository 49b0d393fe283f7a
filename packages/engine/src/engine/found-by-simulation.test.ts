import type { RunRequest } from '@paceline/api';
import { describe, expect, it, vi } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { bringUp, freeze, instanceIn, joinFromUserData, newWorld, openEngine, startRun, wake, type World } from '../testing/test-engine.ts';
import type { Engine } from './engine.ts';
import { leaseMs } from './ownership.ts';

describe('who follows a run at a replica', () => {
  it('that is taken for dead hears how the run ends elsewhere', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const second = await openEngine(world);
    const ended = follow(engine, id);
    freeze(engine, 'asleep');
    await pass(world, leaseMs + 5000);
    await second.terminate(id, 'a user');
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await second.runDetail(id)).state).toBe('Cancelled');
    });
    wake(engine);
    await pass(world, leaseMs);
    expect(await Promise.race([ended, pass(world, 5000)])).toBe('ended');
  });

  it('that cannot see whether the run has ended is sent away', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const second = await openEngine(world);
    const ended = follow(second, id);
    await pass(world, 250);
    const all = world.database.all.bind(world.database);
    world.database.all = (sql, values) => (sql.includes('owner') ? Promise.reject(new Error('no connection')) : all(sql, values));
    await world.database.transaction([], JSON.stringify({ runs: [id] }));
    expect(await Promise.race([ended, pass(world, 5000)])).toBe('failed');
    world.database.all = all;
    await engine.close();
  });
});

describe('a replica whose runs may be others’ by now', () => {
  it('turns no agent away for ever that has joined elsewhere', async () => {
    const world = sharedWorld();
    const { engine, id } = await bringUp(world);
    const second = await openEngine(world);
    freeze(engine, 'asleep');
    await pass(world, leaseMs + 5000);
    expect(second.findActive(id)).toBeDefined();
    await expect(engine.authenticate(`pla_${id}_secret`)).rejects.toMatchObject({ status: 503 });
  });
});

describe('a run whose end is being stored', () => {
  it('takes nothing more: who follows it has seen the last event', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const ended = follow(engine, id);
    const list = Promise.withResolvers<void>();
    const disk = Promise.withResolvers<void>();
    world.cloud.gates.list = list.promise;
    const run = await engine.activeRun(id);
    await run.terminate('a user');
    await vi.waitFor(() => expect(world.cloud.calls).toContain('list'));
    list.resolve();
    world.database.gate = disk.promise;
    await vi.waitFor(() => expect(run.run.facts.state).toBe('Cancelled'));
    const writing = run.write('apache.1:url.service', 'late', false);
    disk.resolve();
    await expect(writing).rejects.toMatchObject({ code: 'PACELINE_RUN_ENDED' });
    expect(await ended).toBe('ended');
    expect((await engine.store.events(id, 0, 1000)).at(-1)).toMatchObject({ type: 'run.state', message: 'Cancelled' });
  });
});

describe('a call to a cloud', () => {
  it('is made again in time when something else was being stored as it failed', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const run = await engine.activeRun(id);
    const disk = Promise.withResolvers<void>();
    const terminate = world.cloud.connector.terminate.bind(world.cloud.connector);
    world.cloud.connector.terminate = async () => {
      world.database.gate = disk.promise;
      Object.assign(world.cloud.connector, { terminate });
      throw new ConnectorError('unavailable', 'not now');
    };
    await run.terminate('a user');
    await vi.waitFor(() => expect(run.run.instances.get('apache.1')?.machine.attempts).toBe(1));
    const writing = run.write('ss:url.service', 'http://x', false);
    disk.resolve();
    await writing;
    await pass(world, 10_000);
    expect((await engine.runDetail(id)).state).toBe('Cancelled');
  });
});

describe('a machine that dies', () => {
  const lost = async (world: World, engine: Engine, id: string): Promise<string | undefined> => {
    await pass(world, 15_000);
    return (await engine.runDetail(id)).abort?.reason;
  };

  it('right after its agent has joined is missed', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    await joinAll(world, engine);
    world.cloud.machines.clear();
    expect(await lost(world, engine, id)).toBe('n.1 is lost: the cloud does not know its machine any more');
  });

  it('before its cloud has said that it is there is missed', async () => {
    const world = newWorld();
    const gate = Promise.withResolvers<void>();
    world.cloud.gates.launch = gate.promise;
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    await joinAll(world, engine);
    for (const [key, machine] of world.cloud.machines) world.cloud.machines.set(key, { ...machine, state: 'stopped' });
    await pass(world, 15_000);
    gate.resolve();
    expect(await lost(world, engine, id)).toBe('n.1 is lost: its machine has stopped');
  });
});

async function joinAll(world: World, engine: Engine): Promise<void> {
  for (const { userData } of world.cloud.machines.values()) await joinFromUserData(engine, userData, `key-${instanceIn(userData)}`);
}

describe('a sign of life', () => {
  it('is a new one after one whose answer was lost', async () => {
    const world = sharedWorld();
    const { engine } = await bringUp(world);
    const beats = async (): Promise<number> => (await engine.store.replicas())[0]?.beats ?? 0;
    const store = world.database.transaction.bind(world.database);
    world.database.transaction = async (statements, ...rest) => {
      await store(statements, ...rest);
      if (statements[0]?.sql.startsWith('UPDATE replicas') === true) throw new Error('no answer');
    };
    await pass(world, leaseMs / 4);
    world.database.transaction = store;
    const lost = await beats();
    expect(lost).toBeGreaterThan(0);
    await pass(world, leaseMs / 4);
    expect(await beats()).toBeGreaterThan(lost);
  });

  it('is not missed of a replica that has come while the others were looked at', async () => {
    const world = sharedWorld();
    const { id } = await bringUp(world);
    const { database } = world;
    const second = await openEngine(world);
    const all = database.all.bind(database);
    let isFirst = true;
    database.all = async (sql, values) => {
      const rows = await all(sql, values);
      if (isFirst && /FROM (replicas|runs)/.test(sql)) {
        // Between the two readings of who is there a replica comes, and takes the run.
        isFirst = false;
        await database.transaction([
          { sql: "INSERT INTO replicas (id, url, beats) VALUES ('third', '', 0)", values: [] },
          { sql: "UPDATE runs SET owner = 'third', revision = revision + 1 WHERE id = ?", values: [id] },
        ]);
      }
      return rows;
    };
    await pass(world, leaseMs / 4);
    expect(isFirst).toBe(false);
    database.all = all;
    expect((await second.store.ownerOf(id))?.owner).toBe('third');
  });
});

describe('a run that is being stored', () => {
  it('is over only when its end is stored', async () => {
    const world = newWorld();
    const engine = await openEngine(world);
    const gate = Promise.withResolvers<void>();
    const store = world.database.transaction.bind(world.database);
    world.database.transaction = async (statements, ...rest) => {
      if (statements[0]?.sql.startsWith('UPDATE runs SET facts') === true) await gate.promise;
      return store(statements, ...rest);
    };
    const id = 'a1b2c3d4-0000-4000-8000-000000000000';
    const nodes = Object.fromEntries(Object.entries(oneMachine.nodes).map(([name, node]) => [name, { ...node, multiplicity: 0 }]));
    const creating = engine.createRun({ id, deployment: { ...oneMachine, nodes, keepRunning: 'never' } }, 'tester');
    await vi.waitFor(() => expect(engine.findActive(id)?.isLoaded).toBe(true));
    const ended = follow(engine, id);
    gate.resolve();
    await creating;
    expect(await Promise.race([ended, pass(world, 5000)])).toBe('ended');
    expect((await engine.store.events(id, 0, 100)).at(-1)?.message).toBe('Done');
  });

  it('is driven once, also when it is found in the store before the answer comes', async () => {
    const world = sharedWorld();
    const engine = await openEngine(world);
    const gate = Promise.withResolvers<void>();
    const store = world.database.transaction.bind(world.database);
    world.database.transaction = async (statements, ...rest) => {
      await store(statements, ...rest);
      if (statements[0]?.sql.startsWith('INSERT INTO runs') === true) await gate.promise;
    };
    const id = 'a1b2c3d4-0000-4000-8000-000000000000';
    const creating = engine.createRun({ id, deployment: oneMachine }, 'tester');
    await pass(world, leaseMs);
    await expect(engine.createRun({ id, deployment: { ...oneMachine, name: 'other' } }, 'tester')).rejects.toThrow();
    gate.resolve();
    await creating;
    await pass(world, leaseMs);
    expect(world.cloud.calls.filter((call) => call === 'launch')).toHaveLength(1);
    expect(world.warnings).toEqual([]);
  });
});

const oneMachine: RunRequest['deployment'] = {
  kind: 'Deployment',
  name: 'test',
  module: 'test',
  tags: [],
  parameters: {},
  nodes: { n: nodeOf() as RunRequest['deployment']['nodes'][string] },
  keepRunning: 'on-success',
  timeoutMs: 30 * 60_000,
  lifetimeMs: 4 * 3_600_000,
  onStall: 'abort',
  digest: 'd'.repeat(64),
};

function sharedWorld(): World {
  const world = newWorld();
  world.database.shared = true;
  return world;
}

describe('what people read', () => {
  it('is stored by then, also when more comes in while the first of it is being stored', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ n: nodeOf({ parameters: { note: parameterOf({ output: true }) } }) }));
    const engine = await openEngine(world);
    const run = await engine.activeRun(id);
    const first = Promise.withResolvers<void>();
    world.database.gate = first.promise;
    const written = run.write('n.1:note', 'first', false);
    await new Promise(setImmediate);
    const read = engine.see(id, ({ parameters }) => parameters.get('n.1:note')?.value);
    // Never stored.
    world.database.gate = new Promise(() => {});
    void run.write('n.1:note', 'second', false);
    first.resolve();
    await written;
    expect(await read).toBe('first');
  });
});

async function follow(engine: Engine, id: string): Promise<'ended' | 'failed'> {
  try {
    for await (const _events of engine.followEvents(id, 0, new AbortController().signal));
    return 'ended';
  } catch {
    return 'failed';
  }
}

/** Lets time pass in small steps, each with what it brings. */
async function pass(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    world.clock.pass(250);
    for (let i = 0; i < 4; i++) await new Promise(setImmediate);
  }
}

describe('a run that is ended while the commit before is under way', () => {
  it('is over when its end is stored, and who follows it hears of that', async () => {
    const world = newWorld();
    const { database } = world;
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 0 }) }, { keepRunning: 'always' }));
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const commits = vi.spyOn(database, 'transaction');
    const engine = await openEngine(world, () => {
      commits.mockClear();
      database.gate = first.promise;
    });
    await vi.waitFor(() => expect(commits).toHaveBeenCalledOnce());
    const ended = engine.terminate(id, 'a user');
    expect(engine.findActive(id)?.run.facts.state).toBe('Done');
    database.gate = second.promise;
    first.resolve();
    const seen: string[] = [];
    const following = (async () => {
      for await (const page of engine.followEvents(id, 0, AbortSignal.timeout(10_000))) seen.push(...page.map(({ message }) => message));
    })();
    await vi.waitFor(() => expect(seen).toContain('Ready'));
    expect(engine.findActive(id)).toBeDefined();
    second.resolve();
    await ended;
    await following;
    expect(seen.at(-1)).toBe('Done');
  });
});
