import { describe, expect, it, vi } from 'vitest';
import type { RunPlan } from '@paceline/model';
import { decideOp, type OpContext } from '../agents/ops.ts';
import type { Run } from '../run/run.ts';
import { nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { joinFromUserData, newWorld, openEngine, startRun, type TestAgent } from '../testing/test-engine.ts';
import { secretsOf } from './secrets.ts';

/** A database with a password that one client is given, a proxy that passes it on, and a neighbour that it does not concern. */
function plan(): RunPlan {
  return planOf(
    {
      db: nodeOf({
        multiplicity: 2,
        parameters: { password: parameterOf({ type: 'password', secret: true, output: true }), port: parameterOf({ value: '5432' }) },
      }),
      client: nodeOf({ parameters: { 'db.password': parameterOf({ secret: true, from: 'db.1:password' }) } }),
      proxy: nodeOf({ parameters: { upstream: parameterOf({ secret: true, from: 'client.1:db.password' }) } }),
      neighbour: nodeOf({ parameters: { note: parameterOf() } }),
    },
    { globals: { license: parameterOf({ secret: true, value: 'the license' }) } },
  );
}

function ask(run: Run, who: string, key: string): unknown {
  const instance = run.instances.get(who);
  if (instance === undefined) throw new Error(`no instance ${who}`);
  const context: OpContext = {
    wait: () => {},
    unwait: () => {},
    joinWaitAll: () => false,
    waitAll: () => {},
    unwaitAll: () => {},
    log: () => [],
    examined: () => {},
  };
  const all = /^(\w+)\.\*:(.+)$/.exec(key);
  const { result } = decideOp(
    run,
    instance,
    all === null
      ? { op: 'get', key, wait: false, ignoreAbort: false }
      : { op: 'getAll', node: all[1] ?? '', name: all[2] ?? '', wait: false, ignoreAbort: false },
    context,
    0,
  );
  return result.status === 'value' ? result.value : result.status === 'error' ? result.httpStatus : result.status;
}

describe('a secret', () => {
  it.each([
    ['db.1', 'db.1:password', 'one'],
    ['db.2', 'db.1:password', 403],
    ['db.1', 'db.2:password', 403],
    ['client.1', 'client.1:db.password', 'one'],
    ['client.1', 'db.1:password', 'one'],
    ['client.1', 'db.2:password', 403],
    ['proxy.1', 'proxy.1:upstream', 'one'],
    ['proxy.1', 'db.1:password', 'one'],
    ['neighbour.1', 'db.1:password', 403],
    ['neighbour.1', 'client.1:db.password', 403],
    ['neighbour.1', 'db.1:port', '5432'],
    ['neighbour.1', 'ss:license', 'the license'],
    ['neighbour.1', 'db.*:password', 403],
    ['neighbour.1', 'db.*:port', 'values'],
  ])('asked for by %s as %s is answered with %s', (who, key, answer) => {
    const test = new TestRun(plan());
    for (const [index, value] of ['one', 'two'].entries()) {
      test.apply([{ kind: 'parameter', key: `db.${index + 1}:password`, value, secret: true }]);
    }
    expect(ask(test.run, who, key)).toBe(answer);
    expect(test.run.facts.abort).toBeNull();
  });

  it('is refused before it has a value, so that nobody waits for what will not be told', () => {
    const { run } = new TestRun(plan());
    expect(ask(run, 'neighbour.1', 'db.1:password')).toBe(403);
    expect(ask(run, 'client.1', 'client.1:db.password')).toBe('unset');
  });

  it('that a script made one of an ordinary parameter is kept from the others as well', () => {
    const test = new TestRun(plan());
    test.apply([{ kind: 'parameter', key: 'db.1:port', value: 'hidden', secret: true }]);
    expect(ask(test.run, 'neighbour.1', 'db.1:port')).toBe(403);
  });

  it('is to be masked by those who may see it, and by nobody else', () => {
    const test = new TestRun(plan());
    test.apply([{ kind: 'parameter', key: 'db.1:password', value: 'one', secret: true }]);
    const seen = Object.fromEntries([...test.run.instances.values()].map((instance) => [instance.name, secretsOf(test.run, instance)]));
    expect(seen).toEqual({
      'db.1': ['one', 'the license'],
      'db.2': ['the license'],
      'client.1': ['one', 'the license'],
      'proxy.1': ['one', 'the license'],
      'neighbour.1': ['the license'],
    });
  });
});

describe('agents', () => {
  async function connectAll(): Promise<Map<string, TestAgent>> {
    const world = newWorld();
    await startRun(world, plan());
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(5));
    const agents = new Map<string, TestAgent>();
    for (const { userData } of world.cloud.machines.values()) {
      const name = /"instance":"([^"]+)"/.exec(userData)?.[1] ?? '';
      agents.set(name, (await joinFromUserData(engine, userData, `key-${name}`)).connect());
    }
    return agents;
  }

  it('hear of a secret that is set after they connected, before they get its value', async () => {
    const agents = await connectAll();
    await agents.get('client.1')?.say({ op: 'get', key: 'client.1:db.password', wait: true, ignoreAbort: false });
    const before = new Map([...agents].map(([name, { events }]) => [name, events.length]));
    await agents.get('db.1')?.say({ op: 'set', key: 'db.1:password', value: 'new', secret: false, ignoreAbort: false });
    const news = (name: string): unknown[] =>
      (agents.get(name)?.events ?? [])
        .slice(before.get(name))
        .flatMap(({ event, data }) => (event === 'mask' || event === 'value' ? [{ event, data }] : []));
    const mask = { event: 'mask', data: { values: ['new'] } };
    expect(news('db.1')).toEqual([mask]);
    expect(news('client.1')).toEqual([mask, { event: 'value', data: { key: 'client.1:db.password', value: 'new', secret: true } }]);
    expect(news('proxy.1')).toEqual([mask]);
    expect(news('neighbour.1')).toEqual([]);
    expect(news('db.2')).toEqual([]);
  });

  it('that wait for what becomes a secret are not told it', async () => {
    const agents = await connectAll();
    const neighbour = agents.get('neighbour.1');
    await neighbour?.say({ op: 'get', key: 'db.1:url.service', wait: true, ignoreAbort: false });
    await agents.get('db.1')?.say({ op: 'set', key: 'db.1:url.service', value: 'hidden', secret: true, ignoreAbort: false });
    expect(JSON.stringify(neighbour?.events)).not.toContain('hidden');
    expect(await neighbour?.say({ op: 'get', key: 'db.1:url.service', wait: true, ignoreAbort: false })).toMatchObject([
      { status: 'error', httpStatus: 403 },
    ]);
  });
});
