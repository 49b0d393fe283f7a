import { PacelineError } from '@paceline/model';
import { describe, expect, it, vi } from 'vitest';
import { end } from '../lifecycle/advance.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { bringUp, instanceIn, joinFromUserData, newWorld, openEngine, recovered, startRun } from '../testing/test-engine.ts';
import type { RunEvent } from '../run/event.ts';

const busy = { code: 'PACELINE_STORE_FAILED', status: 503 };
const full = new Error('disk full');

/** Makes the next commit of the run fail, so that it has to be read again. */
async function failOnce(world: Awaited<ReturnType<typeof newWorld>>, say: () => Promise<unknown> | undefined): Promise<void> {
  world.database.failure = full;
  await expect(say()).rejects.toThrow('disk full');
  world.database.failure = undefined;
}

describe('a run whose commit failed', () => {
  const set = { op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false } as const;

  it('asks everybody to come back, and loses nothing that it has taken', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const active = await engine.activeRun(id);
    await failOnce(world, () => agents.get('apache.1')?.say(set));
    await expect(active.terminate('a user')).rejects.toMatchObject(busy);
    await expect(active.write('ss:url.service', 'x', false)).rejects.toMatchObject(busy);
    const agent = await engine.authenticate('key-apache.1');
    expect(() => agent.connect(() => ({ send: () => {}, close: () => {} }))).toThrow(expect.objectContaining(busy));
    const [machine] = world.cloud.machines.values();
    await expect(joinFromUserData(engine, machine?.userData ?? '', 'any')).rejects.toMatchObject(busy);
    expect(engine.busy).toBe(true);
    expect((await engine.runDetail(id)).state).toBe('Executing');
    await recovered(world, engine, id);
    await active.terminate('a user');
    await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Cancelled'));
    expect(world.cloud.machines.size).toBe(0);
  });

  it('takes nothing any more of a commit whose outcome was not known', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const transaction = world.database.transaction.bind(world.database);
    let land: (() => Promise<void>) | undefined;
    world.database.transaction = (...args) => {
      world.database.transaction = transaction;
      land = () => transaction(...args);
      const data = { outcome: 'unknown', retryable: true };
      return Promise.reject(new PacelineError('PACELINE_STORE_FAILED', 'The connection was lost', { data }));
    };
    await expect(agents.get('apache.1')?.say(set)).rejects.toThrow('The connection was lost');
    await recovered(world, engine, id);
    await expect(land?.()).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
    expect((await engine.activeRun(id)).run.parameters.get('apache.1:ready')?.value).not.toBe('true');
  });

  it('keeps those who follow its events', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const seen: RunEvent[] = [];
    const following = (async () => {
      for await (const page of engine.followEvents(id, 0, AbortSignal.timeout(10_000))) seen.push(...page);
    })();
    await failOnce(world, () => agents.get('apache.1')?.say(set));
    await recovered(world, engine, id);
    await engine.findActive(id)?.terminate('a user');
    await following;
    expect(seen.at(-1)).toMatchObject({ type: 'run.state', message: 'Cancelled' });
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_event, index) => index + 1));
  });

  it('tries less and less often while the disk is full', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    let tries = 0;
    const transaction = world.database.transaction.bind(world.database);
    world.database.transaction = (...args) => {
      tries += 1;
      return transaction(...args);
    };
    world.database.failure = full;
    // Every look at the run has something to store: its end.
    await engine
      .activeRun(id)
      .then((active) => active.decide((run, now) => end(run, 'Cancelled', 'a test', now)))
      .catch(() => {});
    for (let i = 0; i < 300; i++) {
      world.clock.pass(100);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    expect(tries).toBeLessThan(12);
    world.database.failure = undefined;
    await recovered(world, engine, id);
  });

  it('acts once: what it had asked of a cloud is awaited before it acts again', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
    const gate = Promise.withResolvers<void>();
    world.cloud.gates.launch = gate.promise;
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
    await failOnce(world, () => engine.findActive(id)?.write('ss:url.service', 'x', false));
    for (let i = 0; i < 20; i++) {
      world.clock.pass(1000);
      await new Promise(setImmediate);
    }
    expect(world.cloud.calls).toEqual(['launch']);
    delete world.cloud.gates.launch;
    gate.resolve();
    await recovered(world, engine, id);
    await vi.waitFor(async () => {
      world.clock.pass(100);
      expect((await engine.runDetail(id)).instances.map(({ stage }) => stage)).toEqual(['booting', 'booting']);
    });
    expect(world.cloud.machines.size).toBe(2);
    await engine.findActive(id)?.terminate('a user');
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
    expect(world.cloud.machines.size).toBe(0);
  });

  it('is read again, and no other with it, when its own data cannot be stored', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const other = await startRun(world, planOf({ n: nodeOf() }), 'b1b2c3d4-0000-4000-8000-000000000000');
    await engine.close();
    const second = await openEngine(world);
    const transaction = world.database.transaction.bind(world.database);
    world.database.transaction = (statements) =>
      JSON.stringify(statements).includes('poison') ? Promise.reject(full) : transaction(statements);
    const good = second.findActive(other)?.write('ss:url.service', 'good', false);
    await expect(second.findActive(id)?.write('ss:url.service', 'poison', false)).rejects.toThrow('disk full');
    await good;
    expect(second.findActive(other)?.run.parameters.get('ss:url.service')?.value).toBe('good');
  });

  it('is read again, and no other with it, when its own data cannot be written out', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const other = await startRun(world, planOf({ n: nodeOf() }), 'b1b2c3d4-0000-4000-8000-000000000000');
    await engine.close();
    const second = await openEngine(world);
    const unwritable = 1n as unknown as string;
    const bad = second
      .findActive(id)
      ?.decide((_run, at) => [
        { kind: 'event', at, body: { type: 'instance.notice', severity: 'info', message: 'x', data: { instance: unwritable } } },
      ]);
    const good = second.findActive(other)?.write('ss:url.service', 'good', false);
    await expect(bad).rejects.toThrow('BigInt');
    await good;
    expect((await second.run(other)).parameters.get('ss:url.service')?.value).toBe('good');
    await recovered(world, second, id);
    await second.findActive(id)?.write('ss:url.service', 'good', false);
  });

  it('is read again when what follows a commit breaks, and the commit counts', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const client = agents.get('testclient.1');
    await client?.say({ op: 'get', key: 'testclient.1:webserver.ready', wait: true, ignoreAbort: false });
    const { push } = client?.events ?? [];
    if (client !== undefined)
      client.events.push = () => {
        throw new Error('a mistake');
      };
    await agents.get('apache.1')?.say(set);
    if (client !== undefined && push !== undefined) client.events.push = push;
    await recovered(world, engine, id);
    expect((await engine.run(id)).parameters.get('apache.1:ready')?.value).toBe('true');
  });
});

describe('nobody hears of what is not stored', () => {
  it.each(['hello', 'value', 'assignment'] as const)('%s', async (kind) => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const [apache, client] = [agents.get('apache.1'), agents.get('testclient.1')];
    await client?.say({ op: 'get', key: 'testclient.1:webserver.ready', wait: true, ignoreAbort: false });
    const before = client?.events.length ?? 0;
    const gate = Promise.withResolvers<void>();
    world.database.gate = gate.promise;
    void apache?.say({ op: 'set', key: 'apache.1:ready', value: 'early', secret: false, ignoreAbort: false });
    await new Promise(setImmediate);
    if (kind === 'hello') client?.connect();
    if (kind === 'assignment') void engine.findActive(id)?.abort('no more');
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(client?.events.slice(before)).toEqual([]);
    gate.resolve();
    await vi.waitFor(() => expect(client?.events.slice(before).map(({ event }) => event)).toContain(kind));
  });

  it('although values keep coming', async () => {
    const world = newWorld();
    const { agents } = await bringUp(world);
    const [apache, client] = [agents.get('apache.1'), agents.get('testclient.1')];
    const say = (value: string) => apache?.say({ op: 'set', key: 'apache.1:ready', value, secret: false, ignoreAbort: false });
    await client?.say({ op: 'get', key: 'testclient.1:webserver.ready', wait: true, ignoreAbort: false });
    // While the first value is written, the second one is gathered already: it is not stored when the first one is told.
    const gate = Promise.withResolvers<void>();
    world.database.gate = gate.promise;
    const first = say('first');
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const second = Promise.withResolvers<void>();
    void say('second');
    await new Promise(setImmediate);
    gate.resolve();
    world.database.gate = second.promise;
    await first;
    expect(client?.events.at(-1)).toEqual({ event: 'value', data: { key: 'testclient.1:webserver.ready', value: 'first', secret: false } });
    second.resolve();
  });
});

describe('a run is created', () => {
  it('in one piece: no run without its first event', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    expect((await engine.store.events(id, 0, 1))[0]).toMatchObject({ seq: 1, type: 'run.created', data: { by: 'tester' } });
    await vi.waitFor(() => expect([...world.cloud.machines.values()].map(({ userData }) => instanceIn(userData))).toEqual(['n.1']));
  });
});
