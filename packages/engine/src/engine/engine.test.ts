import { describe, expect, it, vi } from 'vitest';
import { nodeOf, planOf, parameterOf } from '../testing/plans.ts';
import { bringUp, completeAll, joinFromUserData, newWorld, openEngine, recovered, TestAgent } from '../testing/test-engine.ts';
import { end } from '../lifecycle/advance.ts';

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
    const again = new TestAgent(second, 'key-apache.1').connect();
    await vi.waitFor(() =>
      expect(again.events[0]).toMatchObject({ event: 'hello', data: { lastOp: 1, assignment: { state: 'Executing', completed: false } } }),
    );
    expect((await second.run(id)).parameters.get('apache.1:ready')?.value).toBe('true');
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
    await recovered(world, engine, id);
    expect((await engine.run(id)).parameters.has('apache.1:ready')).toBe(false);
    apache?.connect();
    await apache?.say({ op: 'set', key: 'apache.1:ready', value: 'true', secret: false, ignoreAbort: false });
    expect((await engine.run(id)).parameters.get('apache.1:ready')?.value).toBe('true');
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
