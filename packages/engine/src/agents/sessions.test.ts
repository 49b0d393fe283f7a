import { opsHeartbeatMs } from '@paceline/api/agent';
import { describe, expect, it, vi } from 'vitest';
import { dropOrAbort } from '../lifecycle/provisioning.ts';
import { instanceOf } from '../run/apply.ts';
import { nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { bringUp, instanceIn, joinFromUserData, newWorld, openEngine, startRun, TestAgent } from '../testing/test-engine.ts';

const ready = { op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false } as const;

describe('what an agent says', () => {
  it('counts only on its newest connection', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const apache = agents.get('apache.1');
    await apache?.say(ready);
    const stale = await engine.authenticate('key-apache.1');
    const [hello] = apache?.events ?? [];
    const session = hello?.event === 'hello' ? hello.data.session : '';
    await apache?.connect().session;
    await expect(stale.ops({ session, ops: [{ ...ready, id: 2, value: 'stale' }] })).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
    await apache?.say({ ...ready, value: 'new' });
    expect((await engine.run(id)).parameters.get('apache.1:ready')?.value).toBe('new');
  });

  it('is refused the same way when it is said again after a restart', async () => {
    const world = newWorld();
    const { agents } = await bringUp(world);
    const foreign = { ...ready, key: 'testclient.1:webserver.ready' };
    const refused = await agents.get('apache.1')?.say({ ...ready, id: 1 }, { ...foreign, id: 2 }, { ...ready, id: 3 });
    expect(refused).toMatchObject([{ status: 'ok' }, { status: 'error', code: 'PACELINE_FORBIDDEN' }, { status: 'ok' }]);
    const again = new TestAgent(await openEngine(world), 'key-apache.1').connect();
    expect(await again.say({ ...foreign, id: 2 }, { ...ready, id: 3 }, { ...foreign, id: 4 })).toEqual([
      refused?.[1],
      refused?.[2],
      refused?.[1],
    ]);
    expect(await again.say({ ...foreign, id: 4 })).toEqual([refused?.[1]]);
  });

  it('nothing of is a dead link, whatever TCP believes', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const [apache, client] = [agents.get('apache.1'), agents.get('testclient.1')];
    for (let i = 0; i < 4; i++) {
      world.clock.pass(opsHeartbeatMs);
      await client?.say();
    }
    expect([apache?.closed, client?.closed]).toEqual([1, 0]);
    const connected = (await engine.runDetail(id)).instances.filter((instance) => instance.connected);
    expect(connected.map(({ name }) => name)).toEqual(['testclient.1']);
  });
});

describe('who waits', () => {
  it('is told of what its parameter follows, also when that had a value of its own as the wait began', async () => {
    const { agents, engine, id } = await bringUp(newWorld());
    const client = agents.get('testclient.1');
    const active = await engine.activeRun(id);
    const key = 'testclient.1:webserver.ready';
    await active.write(key, 'starting', false);
    const wait = { op: 'get', key, wait: true, ignoreAbort: false, unless: 'starting' } as const;
    expect(await client?.say(wait)).toEqual([{ status: 'unset' }]);
    await active.write(key, '', false);
    await agents.get('apache.1')?.say({ ...ready, value: 'starting' });
    await agents.get('apache.1')?.say({ ...ready, value: 'done' });
    expect(client?.events.filter(({ event }) => event === 'value').map(({ data }) => data)).toEqual([
      { key, value: 'done', secret: false },
    ]);
  });

  const plan = planOf({
    wn: nodeOf({ multiplicity: 3, maxProvisioningFailures: 1, parameters: { address: parameterOf({ output: true }) } }),
  });
  const all = { op: 'getAll', node: 'wn', name: 'address', wait: true, ignoreAbort: false } as const;
  const address = (name: string, value: string) => ({ ...ready, key: `${name}:address`, value });

  it('for a value that becomes another machine’s secret is told that it will not come', async () => {
    const world = newWorld();
    const { agents } = await bringUp(world, plan);
    const [one, two] = [agents.get('wn.1'), agents.get('wn.2')];
    await two?.say({ op: 'get', key: 'wn.1:address', wait: true, ignoreAbort: false }, all);
    await one?.say({ ...address('wn.1', 'hidden'), secret: true });
    expect(two?.events.at(-1)).toMatchObject({
      event: 'refused',
      data: { key: 'wn.1:address', code: 'PACELINE_FORBIDDEN', httpStatus: 403 },
    });
    await agents.get('wn.3')?.say(address('wn.3', 'three'));
    await two?.say(address('wn.2', 'two'));
    expect(two?.events.at(-1)).toMatchObject({ event: 'refused', data: { node: 'wn', name: 'address', code: 'PACELINE_FORBIDDEN' } });
    expect(JSON.stringify(two?.events)).not.toContain('hidden');
  });

  it('for all members is not answered while one has lost its value again', async () => {
    const world = newWorld();
    const { agents } = await bringUp(world, plan);
    const [one, two, three] = ['wn.1', 'wn.2', 'wn.3'].map((name) => agents.get(name));
    await one?.say(all);
    await one?.say(address('wn.1', 'one'));
    await two?.say(address('wn.2', 'two'));
    await one?.say({ op: 'unset', key: 'wn.1:address', ignoreAbort: false });
    await three?.say(address('wn.3', 'three'));
    expect(one?.events.filter(({ event }) => event === 'values')).toEqual([]);
    await one?.say(address('wn.1', 'again'));
    expect(one?.events.at(-1)).toEqual({
      event: 'values',
      data: { node: 'wn', name: 'address', values: { '1': 'again', '2': 'two', '3': 'three' } },
    });
  });

  it('for all members does not wait for one that was dropped', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ n: nodeOf(), ...plan.nodes }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(4));
    const agents = new Map<string, TestAgent>();
    for (const { userData } of world.cloud.machines.values()) {
      const name = instanceIn(userData);
      if (name !== 'wn.3' && name !== 'n.1') agents.set(name, (await joinFromUserData(engine, userData, `key-${name}`)).connect());
    }
    const one = agents.get('wn.1');
    await one?.say(all, address('wn.1', 'one'));
    await agents.get('wn.2')?.say(address('wn.2', 'two'));
    await engine.findActive(id)?.decide((run, now) => dropOrAbort(run, instanceOf(run, 'wn.3'), 'wn.3 does not boot', now));
    await vi.waitFor(() =>
      expect(one?.events.at(-1)).toEqual({ event: 'values', data: { node: 'wn', name: 'address', values: { '1': 'one', '2': 'two' } } }),
    );
  });
});

describe('an instance of a system', () => {
  it('may connect although one of its parameters follows a node of none', async () => {
    const world = newWorld();
    const plan = planOf({
      none: nodeOf({ multiplicity: 0, parameters: { key: parameterOf({ output: true, secret: true }) } }),
      one: nodeOf({ parameters: { key: parameterOf({ from: 'none.1:key', secret: true }) } }),
    });
    const { agents } = await bringUp(world, plan);
    expect(agents.get('one.1')?.events[0]?.event).toBe('hello');
  });
});

it('who has a value already is told the next one', async () => {
  const world = newWorld();
  const { agents } = await bringUp(world);
  const client = agents.get('testclient.1');
  const set = (value: string) => agents.get('apache.1')?.say({ ...ready, value });
  const get = (unless: string) => client?.say({ op: 'get', key: 'testclient.1:webserver.ready', wait: true, ignoreAbort: false, unless });
  await set('one');
  expect(await get('one')).toEqual([{ status: 'unset' }]);
  expect(await get('other')).toEqual([{ status: 'value', value: 'one', secret: false }]);
  await get('one');
  const before = client?.events.length ?? 0;
  await set('one');
  expect(client?.events.slice(before)).toEqual([]);
  await set('two');
  expect(client?.events.at(-1)).toEqual({ event: 'value', data: { key: 'testclient.1:webserver.ready', value: 'two', secret: false } });
});

describe('a hostile machine', () => {
  it('cannot make one answer take all memory', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const apache = agents.get('apache.1');
    await apache?.say({ ...ready, value: 'x'.repeat(1024 * 1024) });
    const get = { op: 'get', key: 'apache.1:ready', wait: false, ignoreAbort: false } as const;
    const before = (await engine.run(id)).instances.get('apache.1')?.lastOp;
    await expect(apache?.say(...Array.from({ length: 100 }, () => get), ready)).rejects.toMatchObject({ code: 'PACELINE_TOO_LARGE' });
    expect((await engine.run(id)).instances.get('apache.1')?.lastOp).toBe(before);
    expect(await apache?.say(...Array.from({ length: 6 }, () => get))).toHaveLength(6);
  });

  it('cannot make up sources of output without end', async () => {
    const world = newWorld();
    const { agents } = await bringUp(world);
    const log = (n: number) => ({ op: 'log', source: `s${n}`, stream: 'stdout', offset: 0, bytes: 1, text: 'x', at: '' }) as const;
    const results = await agents.get('apache.1')?.say(...Array.from({ length: 600 }, (_, n) => log(n)));
    expect(results?.filter(({ status }) => status === 'error')).toHaveLength(100);
  });
});
