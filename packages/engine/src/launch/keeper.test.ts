import { describe, expect, it, vi } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { end } from '../lifecycle/advance.ts';
import { lostAnswer } from '../testing/fake-cloud.ts';
import { clientServerPlan, nodeOf, planOf } from '../testing/plans.ts';
import { bringUp, completeAll, newWorld, openEngine, startRun } from '../testing/test-engine.ts';

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

describe('the keeper', () => {
  it('looks as long as a listing lags before it launches what a killed engine may have launched', async () => {
    const world = newWorld();
    world.cloud.capabilities.listConsistencyMs = 5000;
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
    let launched = 0;
    world.cloud.onLaunch = ({ id: machine }) => {
      launched += 1;
      world.cloud.hidden.add(machine);
    };
    // The answer never comes: the engine dies before.
    world.cloud.gates.launch = new Promise(() => {});
    await openEngine(world);
    await vi.waitFor(() => expect(launched).toBe(2));
    delete world.cloud.gates.launch;
    const second = await openEngine(world);
    world.clock.pass(4900);
    await new Promise(setImmediate);
    world.cloud.hidden.clear();
    await vi.waitFor(async () => {
      world.clock.pass(100);
      expect((await second.runDetail(id)).instances.map(({ stage }) => stage)).toEqual(['booting', 'booting']);
    });
    expect(launched).toBe(2);
  });

  it('counts failures that come together one by one', async () => {
    const world = newWorld();
    world.cloud.faults.push({ method: 'launch', when: 'before', error: new ConnectorError('quota', 'no more') });
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 3, maxProvisioningFailures: 1 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(async () => expect((await engine.runDetail(id)).abort?.source).toBe('n.2:abort'));
    expect((await engine.runDetail(id)).instances.filter(({ dropped }) => dropped).map(({ name }) => name)).toEqual(['n.1']);
  });

  it('launches nothing when the run has come to its end before the launch had its turn', async () => {
    const world = newWorld();
    // One call in twenty seconds: the launch of the second run has to wait.
    Object.assign(world.cloud.capabilities, { calls: { perSecond: 0.05, burst: 1 } });
    await startRun(world, planOf({ n: nodeOf() }));
    const second = await startRun(world, planOf({ n: nodeOf() }), 'b1b2c3d4-0000-4000-8000-000000000000');
    const engine = await openEngine(world);
    await vi.waitFor(async () => expect((await engine.runDetail(second)).state).toBe('Provisioning'));
    await (await engine.activeRun(second)).decide((run, now) => end(run, 'Cancelled', 'a test', now));
    await vi.waitFor(async () => {
      world.clock.pass(5000);
      expect((await engine.runDetail(second)).state).toBe('Cancelled');
    }, 10_000);
    expect(world.cloud.calls.filter((call) => call === 'launch')).toHaveLength(1);
  });

  it('does not launch again what was dropped', async () => {
    const world = newWorld();
    world.cloud.faults.push({ method: 'launch', when: 'before', error: new ConnectorError('quota', 'no more') });
    const plan = planOf({ a: nodeOf({ maxProvisioningFailures: 1 }), b: nodeOf() });
    const id = await startRun(world, plan);
    const engine = await openEngine(world);
    await vi.waitFor(async () => expect((await engine.runDetail(id)).instances[0]?.dropped).toBe(true));
    for (let i = 0; i < 20; i++) {
      world.clock.pass(10_000);
      await new Promise(setImmediate);
    }
    expect(world.cloud.calls.filter((call) => call === 'launch')).toHaveLength(2);
  });

  it('sets no timer for what a call under way will bring', async () => {
    const world = newWorld();
    world.cloud.gates.launch = new Promise(() => {});
    await startRun(world, planOf({ n: nodeOf() }));
    await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    for (let i = 0; i < 50; i++) {
      world.clock.pass(1);
      await new Promise(setImmediate);
    }
    expect(world.clock.fired).toBe(0);
  });

  it('gives up a call that is never answered, and looks up what it has done', async () => {
    const world = newWorld();
    world.cloud.gates.launch = new Promise(() => {});
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    delete world.cloud.gates.launch;
    await vi.waitFor(async () => {
      world.clock.pass(60_000);
      expect((await engine.runDetail(id)).instances[0]?.stage).toBe('booting');
    });
    expect(world.cloud.machines.size).toBe(1);
  });

  it('notices on its start that a machine has died while the engine was away', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    await engine.close();
    const apache = [...world.cloud.machines.values()].find(({ name }) => name.startsWith('apache-1'));
    world.cloud.machines.delete(apache?.id ?? '');
    const second = await openEngine(world);
    await vi.waitFor(async () => {
      world.clock.pass(5000);
      expect((await second.runDetail(id)).abort?.reason).toBe('apache.1 is lost: the cloud does not know its machine any more');
    });
  });

  it('does not wait for the reports of a machine that is lost, and takes a stopped one for lost', async () => {
    const world = newWorld();
    const { engine, id, agents } = await bringUp(world);
    const apache = [...world.cloud.machines.values()].find(({ name }) => name.startsWith('apache-1'));
    if (apache !== undefined) apache.state = 'stopped';
    agents.get('apache.1')?.disconnect();
    agents.delete('apache.1');
    await vi.waitFor(async () => {
      world.clock.pass(5000);
      expect((await engine.runDetail(id)).abort?.reason).toBe('apache.1 is lost: its machine has stopped');
    });
    await completeAll(engine, id, agents);
    expect((await engine.runDetail(id)).state).toBe('SendingReports');
    await completeAll(engine, id, agents);
    await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Aborted'));
  });

  it('says once that a machine of a Ready run is lost, and that it is back', async () => {
    const world = newWorld();
    const { engine, id, agents } = await bringUp(world, clientServerPlan(1, { keepRunning: 'always' }));
    await completeAll(engine, id, agents);
    await completeAll(engine, id, agents);
    const apache = [...world.cloud.machines.values()].find(({ name }) => name.startsWith('apache-1'));
    world.cloud.hidden.add(apache?.id ?? '');
    agents.get('apache.1')?.disconnect();
    const notices = async (): Promise<string[]> =>
      (await engine.store.events(id, 0, 1000)).filter(({ type }) => type === 'instance.notice').map(({ message }) => message);
    await vi.waitFor(async () => {
      world.clock.pass(10_000);
      expect(await notices()).toHaveLength(1);
    });
    for (let i = 0; i < 10; i++) {
      world.clock.pass(10_000);
      await new Promise(setImmediate);
    }
    expect(await notices()).toEqual(['apache.1 is lost: the cloud does not know its machine any more']);
    agents.get('apache.1')?.connect();
    await vi.waitFor(async () => expect((await notices()).at(-1)).toBe('apache.1 is back'));
  });
});

describe('what cannot be looked at', () => {
  it('is not lost: a look that fails says nothing of the machines', async () => {
    const world = newWorld();
    for (const code of ['internal', 'auth', 'capacity', 'forbidden'] as const)
      world.cloud.faults.push({ method: 'describe', when: 'before', error: new ConnectorError(code, 'it is odd') });
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(async () => {
      world.clock.pass(2000);
      expect(world.cloud.faults).toEqual([]);
    });
    expect((await engine.runDetail(id)).abort).toBeNull();
  });

  it('keeps no machine that has to go: its console may hang', async () => {
    const world = newWorld();
    let asked = 0;
    world.cloud.connector.consoleLog = () => new Promise(() => (asked += 1));
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 30 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(30));
    await engine.findActive(id)?.abort('it is over');
    await vi.waitFor(async () => {
      world.clock.pass(10_000);
      expect((await engine.runDetail(id)).state).toBe('Aborted');
    });
    expect(world.cloud.machines.size).toBe(0);
    expect(asked).toBe(10);
  });
});

describe('at the end of a run', () => {
  it('its clouds are asked what they still have, until it is nothing', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const [machine] = world.cloud.machines.values();
    // A launch of somebody who was taken for dead comes late.
    if (machine !== undefined) world.cloud.machines.set('i-late', { ...machine, id: 'i-late' });
    world.cloud.faults.push({ method: 'list', when: 'before', error: new ConnectorError('throttled', 'not now') });
    await engine.findActive(id)?.terminate('a user');
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
    expect(world.cloud.machines.size).toBe(0);
    const left = (await engine.store.events(id, 0, 1000)).find(({ type }) => type === 'run.leftover');
    expect(left).toMatchObject({ data: { cloud: 'test', ids: ['i-late'] } });
  });
});
