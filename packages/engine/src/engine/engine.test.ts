import { describe, expect, it, vi } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { clientServerPlan, nodeOf, planOf, parameterOf } from '../testing/plans.ts';
import { lostAnswer } from '../testing/fake-cloud.ts';
import { joinFromUserData, newWorld, openEngine, startRun, type TestAgent, type World } from '../testing/test-engine.ts';
import type { Engine } from './engine.ts';
import { end } from '../lifecycle/advance.ts';

async function bringUp(world: World, plan = clientServerPlan(2)): Promise<{ engine: Engine; id: string; agents: Map<string, TestAgent> }> {
  const id = await startRun(world, plan);
  const engine = await openEngine(world);
  const count = [...Object.values(plan.nodes)].reduce((sum, { multiplicity }) => sum + multiplicity, 0);
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(count));
  const agents = new Map<string, TestAgent>();
  for (const { userData } of world.cloud.machines.values()) {
    const name = /"instance":"([^"]+)"/.exec(userData)?.[1] ?? '';
    agents.set(name, (await joinFromUserData(engine, userData, `key-${name}`)).connect());
  }
  await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Executing'));
  return { engine, id, agents };
}

async function completeAll(engine: Engine, id: string, agents: Map<string, TestAgent>): Promise<void> {
  const { active } = { active: await engine.activeRun(id) };
  const { seq } = active.run.facts;
  for (const agent of agents.values()) await agent.say({ op: 'complete', seq });
}

describe('an engine', () => {
  it('brings a run from its launch to Ready and down again, and leaves no machine', async () => {
    const world = newWorld();
    const { engine, id, agents } = await bringUp(world);
    await completeAll(engine, id, agents);
    await completeAll(engine, id, agents);
    expect((await engine.runDetail(id)).state).toBe('Ready');
    await (await engine.activeRun(id)).decide((run, now) => end(run, 'Done', 'a test', now));
    await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Done'));
    expect(world.cloud.machines.size).toBe(0);
    expect(agents.get('apache.1')?.events.at(-1)).toMatchObject({ event: 'leave' });
    expect(engine.busy).toBe(false);
  });

  it('wakes a blocked get through its mapping, after the value is stored', async () => {
    const world = newWorld();
    const { agents } = await bringUp(world);
    const client = agents.get('testclient.2');
    expect(await client?.say({ op: 'get', key: 'testclient.2:webserver.ready', wait: true, ignoreAbort: false })).toEqual([
      { status: 'unset' },
    ]);
    await agents.get('apache.1')?.say({ op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false });
    expect(client?.events.at(-1)).toEqual({ event: 'value', data: { key: 'testclient.2:webserver.ready', value: 'true', secret: false } });
    expect(await client?.say({ op: 'get', key: 'testclient.1:webserver.port', wait: false, ignoreAbort: false })).toEqual([
      { status: 'value', value: '8080', secret: false },
    ]);
  });

  it('answers everybody who waits for all members of a node at once', async () => {
    const world = newWorld();
    const plan = planOf({ wn: nodeOf({ multiplicity: 3, parameters: { address: parameterOf({ output: true }) } }) });
    const { agents } = await bringUp(world, plan);
    for (const agent of agents.values()) await agent.say({ op: 'getAll', node: 'wn', name: 'address', wait: true, ignoreAbort: false });
    for (const [name, agent] of agents)
      await agent.say({ op: 'set', key: `${name}:address`, value: `of ${name}`, secret: false, ignoreAbort: false });
    const values = { '1': 'of wn.1', '2': 'of wn.2', '3': 'of wn.3' };
    for (const agent of agents.values())
      expect(agent.events.at(-1)).toEqual({ event: 'values', data: { node: 'wn', name: 'address', values } });
  });

  it('goes on with everything after a restart: state, values, agents, and the next op number', async () => {
    const world = newWorld();
    const { id, agents } = await bringUp(world);
    await agents.get('apache.1')?.say({ op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false });
    const second = await openEngine(world);
    expect((await second.runDetail(id)).state).toBe('Executing');
    const { active, instance } = second.authenticate('key-apache.1');
    const seen: unknown[] = [];
    active.connect(instance, { send: (event, data) => seen.push({ event, data }), close: () => {} });
    expect(seen[0]).toMatchObject({ event: 'hello', data: { lastOp: 1, assignment: { state: 'Executing', completed: false } } });
    expect(active.run.parameters.get('apache.1:ready')?.value).toBe('true');
    expect(world.cloud.calls.filter((call) => call === 'launch')).toHaveLength(2);
  });

  it('carries out an op once, however often its answer is lost', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const apache = agents.get('apache.1');
    await apache?.say({ op: 'set', id: 1, key: 'apache.1:ready', value: 'one', secret: false, ignoreAbort: false });
    await apache?.say({ op: 'set', id: 2, key: 'apache.1:ready', value: 'two', secret: false, ignoreAbort: false });
    await apache?.say({ op: 'set', id: 1, key: 'apache.1:ready', value: 'one', secret: false, ignoreAbort: false });
    expect((await engine.run(id)).parameters.get('apache.1:ready')?.value).toBe('two');
  });

  it('repeats a refusal when the op is repeated', async () => {
    const world = newWorld();
    const { agents } = await bringUp(world);
    const apache = agents.get('apache.1');
    const refused = await apache?.say({
      op: 'set',
      id: 1,
      key: 'testclient.1:webserver.ready',
      value: 'x',
      secret: false,
      ignoreAbort: false,
    });
    expect(refused).toMatchObject([{ status: 'error', code: 'PACELINE_FORBIDDEN' }]);
    expect(
      await apache?.say({ op: 'set', id: 1, key: 'testclient.1:webserver.ready', value: 'x', secret: false, ignoreAbort: false }),
    ).toEqual(refused);
  });

  it('aborts the run on an unknown key, as SlipStream did', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const results = await agents.get('apache.1')?.say({ op: 'get', key: 'apache.1:redy', wait: true, ignoreAbort: false });
    expect(results).toMatchObject([{ status: 'error', httpStatus: 404 }]);
    expect((await engine.runDetail(id)).abort).toMatchObject({ reason: 'Unknown key apache.1:redy', source: 'apache.1:abort' });
    const blocked = await agents
      .get('testclient.1')
      ?.say({ op: 'get', key: 'testclient.1:webserver.ready', wait: true, ignoreAbort: false });
    expect(blocked).toMatchObject([{ status: 'error', httpStatus: 409 }]);
  });

  it('refuses what a full disk cannot hold, and goes on when there is space again', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    world.database.failure = new Error('disk full');
    const apache = agents.get('apache.1');
    await expect(apache?.say({ op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false })).rejects.toThrow(
      'disk full',
    );
    world.database.failure = undefined;
    await vi.waitFor(() => expect(engine.findActive(id)).toBeDefined());
    expect((await engine.run(id)).parameters.has('apache.1:ready')).toBe(false);
    apache?.connect();
    await apache?.say({ op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false });
    expect((await engine.run(id)).parameters.get('apache.1:ready')?.value).toBe('true');
  });
});

describe('launching', () => {
  it('makes no second machine when the answer to a launch is lost', async () => {
    const world = newWorld();
    world.cloud.faults.push(lostAnswer('launch'));
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 3 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(3));
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).instances.every(({ stage }) => stage === 'booting')).toBe(true);
    });
    expect(world.cloud.machines.size).toBe(3);
  });

  it('stores its intent before the cloud hears of it', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ n: nodeOf() }));
    let stored: unknown;
    world.cloud.onLaunch = () => {
      void world.database
        .all('SELECT data FROM instances WHERE run = ?', [id])
        .then(([row]) => void (stored ??= JSON.parse(String(row?.['data']))));
    };
    await openEngine(world);
    await vi.waitFor(() =>
      expect(stored).toMatchObject({ machine: { status: 'intended', token: expect.stringMatching(/^[0-9a-f]{32}$/) } }),
    );
  });

  it('launches nothing while the intent cannot be stored', async () => {
    const world = newWorld();
    await startRun(world, planOf({ n: nodeOf() }));
    await openEngine(world, () => (world.database.failure = new Error('disk full')));
    await vi.waitFor(() => expect(world.warnings.length).toBeGreaterThan(0));
    expect(world.cloud.calls).toEqual([]);
  });

  it('finds what a killed engine had launched', async () => {
    const world = newWorld();
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
    const first = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
    // The engine dies before it has stored a single id.
    const [row] = await world.database.all('SELECT data FROM instances WHERE run = ? AND name = ?', [id, 'n.1']);
    const data = JSON.parse(String(row?.['data'])) as { machine: object };
    data.machine = { ...data.machine, status: 'intended', id: null, address: null };
    await first.close();
    await world.database.transaction([
      { sql: 'UPDATE instances SET data = ? WHERE run = ? AND name = ?', values: [JSON.stringify(data), id, 'n.1'] },
    ]);
    const second = await openEngine(world);
    await vi.waitFor(async () => expect((await second.runDetail(id)).instances.every(({ stage }) => stage === 'booting')).toBe(true));
    expect(world.cloud.machines.size).toBe(2);
  });

  it('aborts with the cloud’s own words when it refuses', async () => {
    const world = newWorld();
    world.cloud.faults.push({
      method: 'launch',
      when: 'before',
      error: new ConnectorError('quota', 'Quota exceeded for instances', { hint: 'Ask for more.' }),
    });
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Aborted'));
    expect((await engine.runDetail(id)).abort?.reason).toBe(
      'n.1 could not be launched on test: Quota exceeded for instances (Ask for more.)',
    );
  });

  it('ends what it launched when the run is cancelled while the answer is lost', async () => {
    const world = newWorld();
    world.cloud.faults.push(lostAnswer('launch'));
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
    await (await engine.activeRun(id)).decide((run, now) => end(run, 'Cancelled', 'a test', now));
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
    expect(world.cloud.machines.size).toBe(0);
  });

  it('tries to terminate until it works', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    for (let i = 0; i < 5; i++)
      world.cloud.faults.push({ method: 'terminate', when: 'before', error: new ConnectorError('unavailable', 'not now') });
    await (await engine.activeRun(id)).decide((run, now) => end(run, 'Cancelled', 'a test', now));
    await vi.waitFor(async () => {
      world.clock.pass(60_000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
    expect(world.cloud.machines.size).toBe(0);
  });

  it('aborts when a machine dies under a silent agent', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const [machine] = [...world.cloud.machines.values()].filter(({ name }) => name.startsWith('apache-1'));
    world.cloud.machines.delete(machine?.id ?? '');
    agents.get('apache.1')?.disconnect();
    await vi.waitFor(async () => {
      world.clock.pass(10_000);
      expect((await engine.runDetail(id)).abort?.reason).toBe('apache.1 is lost: the cloud does not know its machine any more');
    });
  });
});

describe('joining', () => {
  it('is good once, and an alarm the second time', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const [machine] = world.cloud.machines.values();
    const userData = machine?.userData ?? '';
    await expect(joinFromUserData(engine, userData, 'a thief')).rejects.toMatchObject({ code: 'PACELINE_JOIN_REFUSED' });
    const alarms = (await engine.store.events(id, 0, 1000)).filter(({ type }) => type === 'security.alarm');
    expect(alarms).toHaveLength(1);
  });

  it('may be repeated with the same key, when its answer was lost', async () => {
    const world = newWorld();
    const { engine } = await bringUp(world);
    const [machine] = world.cloud.machines.values();
    const name = /"instance":"([^"]+)"/.exec(machine?.userData ?? '')?.[1] ?? '';
    await expect(joinFromUserData(engine, machine?.userData ?? '', `key-${name}`)).resolves.toBeDefined();
  });

  it('needs the right secret', async () => {
    const world = newWorld();
    const { engine } = await bringUp(world);
    const [machine] = world.cloud.machines.values();
    const forged = (machine?.userData ?? '').replace(/"secret":"[^"]+"/, '"secret":"guess"');
    await expect(joinFromUserData(engine, forged, 'a thief')).rejects.toMatchObject({ code: 'PACELINE_JOIN_REFUSED' });
  });
});
