import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { clientServerPlan, nodeOf, planOf } from '../testing/plans.ts';
import {
  bringUp,
  freeze,
  instanceIn,
  joinFromUserData,
  ManualClock,
  newWorld,
  openEngine,
  recovered,
  startRun,
  type World,
} from '../testing/test-engine.ts';
import { Feeds } from './feeds.ts';
import { leaseMs, Ownership } from './ownership.ts';

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

async function pass(world: World, ms: number, stepMs = 250): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    world.clock.pass(stepMs);
    await turns(3);
  }
}

describe('an engine whose host slept', () => {
  it('closes a thousand quiet links in one go', async () => {
    const count = 1500;
    const world = newWorld();
    await startRun(world, planOf({ a: nodeOf({ multiplicity: count }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(count), { timeout: 20_000 });
    for (const { userData } of world.cloud.machines.values()) await joinFromUserData(engine, userData, `key-${instanceIn(userData)}`);
    let closed = 0;
    for (let i = 1; i <= count; i++) {
      const gone = new AbortController();
      const leave = (await engine.authenticate(`key-a.${i}`)).connect(() => ({
        send: () => {},
        // As a connection does, it tells of its end at once.
        close: () => {
          closed += 1;
          gone.abort();
        },
      }));
      gone.signal.addEventListener('abort', leave);
    }
    await turns(5);
    await pass(world, 100_000, 5000);
    expect(closed).toBe(count);
  }, 60_000);
});

describe('a store that fails in the middle of a call to a cloud', () => {
  it('does not keep users and agents waiting for the cloud', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ a: nodeOf() }));
    const gate = Promise.withResolvers<void>();
    world.cloud.gates.launch = gate.promise;
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    world.database.failure = new Error('disk full');
    await expect(engine.findActive(id)?.write('ss:url.service', 'x', false)).rejects.toThrow('disk full');
    world.database.failure = undefined;
    await recovered(world, engine, id);
    await engine.terminate(id, 'a user');
    expect(world.cloud.calls).toEqual(['launch']);
    gate.resolve();
    delete world.cloud.gates.launch;
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
    expect(world.cloud.machines.size).toBe(0);
  });

  it('does not keep the engine from closing', async () => {
    const world = newWorld();
    await startRun(world, planOf({ a: nodeOf() }));
    world.cloud.gates.launch = new Promise(() => {});
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    await engine.close();
    expect(world.clock.fired).toBe(0);
  });
});

describe('a cloud that refuses to answer', () => {
  it.each(['auth', 'unavailable'] as const)('is not asked again at once for what may have been launched: %s', async (code) => {
    const world = newWorld();
    const id = await startRun(world, planOf({ a: nodeOf() }));
    world.cloud.faults.push({ method: 'launch', when: 'after', error: new ConnectorError('timeout', 'no answer') });
    for (let i = 0; i < 1000; i++) world.cloud.faults.push({ method: 'list', when: 'before', error: new ConnectorError(code, 'no') });
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    await engine.terminate(id, 'a user');
    await pass(world, 600_000, 5000);
    const calls = world.cloud.calls.length;
    await turns(300);
    expect(world.cloud.calls.length).toBe(calls);
    expect(calls).toBeLessThan(60);
    world.cloud.faults.length = 0;
    await vi.waitFor(async () => {
      world.clock.pass(10_000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
    expect(world.cloud.machines.size).toBe(0);
  });

  it('is asked less and less often what is left, and says once what it cannot remove', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const { connector } = world.cloud;
    const list = connector.list.bind(connector);
    let isLeft = true;
    connector.list = async function* (query, context) {
      yield* list(query, context);
      if (isLeft) yield { kind: 'disk', id: 'd-1', name: 'd', owner: { engine: query.engine, run: id } };
    };
    await engine.terminate(id, 'a user');
    await pass(world, 600_000, 1000);
    const events = (await engine.store.events(id, 0, 1000)).filter(({ type }) => type === 'run.leftover');
    expect(events.map(({ message }) => message)).toEqual([
      'test still had d-1 of this run, which nobody was told of, and it cannot be removed: the connector fake cannot remove the disk d-1',
    ]);
    expect(world.cloud.calls.filter((call) => call === 'list').length).toBeLessThan(20);
    isLeft = false;
    await pass(world, 61_000, 1000);
    expect((await engine.runDetail(id)).state).toBe('Cancelled');
  });
});

describe('a report that has come whole', () => {
  it('is listed as it is, although its commit failed and although it is sent again with other words', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world, clientServerPlan(1));
    const name = 'apache.1_report_2012-01-19T203527Z.tgz';
    const body = Buffer.from('hello');
    const sha256 = createHash('sha256').update(body).digest('hex');
    const agent = await engine.authenticate('key-apache.1');
    world.database.failure = new Error('disk full');
    await expect(agent.receiveReport(name, { offset: 0, size: 5, sha256 }, Readable.from([body]))).rejects.toThrow('disk full');
    world.database.failure = undefined;
    await recovered(world, engine, id);
    const again = await engine.authenticate('key-apache.1');
    expect(await again.reportProgress(name)).toEqual({ received: 5, complete: false });
    for (let i = 0; i < 2; i++) await again.receiveReport(name, { offset: 5, size: 1, sha256: 'f'.repeat(64) }, Readable.from([]));
    expect(await engine.store.reports(id)).toMatchObject([{ name, bytes: 5, sha256 }]);
    expect(await again.reportProgress(name)).toEqual({ received: 5, complete: true });
    expect((await engine.store.events(id, 0, 1000)).filter(({ type }) => type === 'report.received')).toHaveLength(1);
  });
});

describe('a timeout', () => {
  it('cannot be put off for ever by taking the abort flag down', async () => {
    const world = newWorld();
    const { engine, id, agents } = await bringUp(world, clientServerPlan(1, { timeoutMs: 60_000 }));
    for (let passed = 0; passed < 300_000 && (await engine.runDetail(id)).state === 'Executing'; passed += 20_000) {
      await pass(world, 20_000, 1000);
      for (const agent of agents.values()) await agent.say({ op: 'cancelAbort' });
    }
    expect((await engine.runDetail(id)).state).not.toBe('Executing');
  });
});

describe('replicas', () => {
  it('give signs of life while they take over what takes long to read', async () => {
    const clock = new ManualClock();
    const rows = new Map<string, { id: string; url: string; beats: number }>();
    const runs: { id: string; owner: string | null; revision: number }[] = [];
    const store = {
      shared: true,
      activeRuns: async () => runs.map((run) => ({ ...run })),
      claim: async ({ id }: { id: string }, owner: string) => {
        const run = runs.find((one) => one.id === id);
        if (run !== undefined) run.owner = owner;
        return run !== undefined;
      },
      replicas: async () => [...rows.values()],
      addReplica: async (row: { id: string; url: string; beats: number }) => void rows.set(row.id, row),
      beat: async (row: { id: string; url: string; beats: number }) => rows.has(row.id) && rows.set(row.id, row) !== undefined,
      buryReplica: async ({ id, beats }: { id: string; beats: number }) => rows.get(id)?.beats === beats && rows.delete(id),
    };
    const warnings: string[] = [];
    const replica = (name: string): Ownership => {
      const mine = new Set<string>();
      return new Ownership({
        store: store as never,
        clock,
        warn: (message) => warnings.push(`${name}: ${message}`),
        url: () => name,
        mine: () => mine,
        take: async (run) => {
          mine.add(run);
          await new Promise<void>((resolve) => void clock.after(1000, resolve));
        },
        dropAll: () => warnings.push(`${name} dropped all`),
        regained: () => {},
      });
    };
    const [one, two] = [replica('one'), replica('two')];
    await two.start();
    for (let i = 0; i < 20; i++) runs.push({ id: `run-${i}`, owner: 'somebody who is dead', revision: 0 });
    void one.start();
    for (let passed = 0; passed < 3 * leaseMs; passed += 250) {
      clock.pass(250);
      await turns(6);
      expect([one.holds, two.holds]).toEqual([true, true]);
    }
    expect(warnings).toEqual([]);
  });

  it('say of a run between two of them to come back, not that it has ended', async () => {
    const world = newWorld();
    world.database.shared = true;
    const { engine, id } = await bringUp(world, clientServerPlan(1));
    const second = await openEngine(world);
    freeze(engine, 'dead');
    await expect(second.activeRun(id)).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED', status: 503 });
  });

  it('keep a follower that comes back as its old connection ends', async () => {
    const gates: (() => void)[] = [];
    let items: { seq: number }[] = [];
    const store = {
      events: async (_run: string, after: number) => items.filter(({ seq }) => seq > after),
      logs: async () => [],
      ownerOf: () => new Promise((resolve) => gates.push(() => resolve({ id: 'r', owner: 'another', revision: 0 }))),
    };
    const feeds = new Feeds(store as never, () => false);
    const seen: { seq: number }[] = [];
    const follow = async (signal: AbortSignal): Promise<void> => {
      for await (const page of feeds.follow('r', ({ events }) => events, 0, signal)) seen.push(...page);
    };
    const cut = new AbortController();
    const old = follow(cut.signal);
    gates.shift()?.();
    await turn();
    const stop = new AbortController();
    const back = follow(stop.signal);
    cut.abort();
    await old;
    gates.shift()?.();
    await turn();
    items = [{ seq: 1 }];
    const heard = feeds.heard(['r']);
    await turn();
    gates.shift()?.();
    await heard;
    await turn();
    expect(seen).toEqual([{ seq: 1 }]);
    stop.abort();
    await back;
  });
});
