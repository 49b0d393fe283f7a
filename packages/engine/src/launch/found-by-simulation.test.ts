import { describe, expect, it, vi } from 'vitest';
import { ConnectorError, type Machine } from '../connector/index.ts';
import { lostAnswer, type Fault } from '../testing/fake-cloud.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { engineId } from '../bootstrap/secrets.ts';
import { freeze, joinFromUserData, key, newWorld, openEngine, recovered, startRun, type World } from '../testing/test-engine.ts';
import type { Engine } from '../engine/engine.ts';

describe('a launch in several batches', () => {
  it('whose answer is lost is looked up for all its machines, also those that are not to be tried again yet', async () => {
    const world = newWorld();
    world.cloud.capabilities.maxBatch = 2;
    world.cloud.faults.push(lostAnswer('launch'));
    // The first instance may be tried again before the second one.
    const chance = [0, 0.9];
    world.random = () => chance.shift() ?? 0;
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(2));
    await vi.waitFor(async () => {
      world.clock.pass(100);
      expect((await engine.runDetail(id)).instances.map(({ stage }) => stage)).toEqual(['booting', 'booting']);
    });
    expect(world.cloud.machines.size).toBe(2);
  });

  it('of which one was answered in part is looked up, although the next was turned away', async () => {
    const world = newWorld();
    world.cloud.capabilities.maxBatch = 2;
    const { connector } = world.cloud;
    const launch = connector.launch.bind(connector);
    const answers = [
      (all: Machine[]) => all.slice(0, 1),
      () => {
        throw new ConnectorError('unavailable', 'not now', { untouched: true });
      },
    ];
    connector.launch = async (request, context) => {
      const answer = answers.shift();
      if (answers.length === 0 && answer !== undefined) return answer([]);
      const all = await launch(request, context);
      return answer?.(all) ?? all;
    };
    await startRun(world, planOf({ n: nodeOf({ multiplicity: 4 }) }));
    await openEngine(world);
    await vi.waitFor(() => {
      world.clock.pass(100);
      expect(world.cloud.machines.size).toBe(4);
    });
    const { calls } = world.cloud;
    expect(calls.indexOf('list')).toBeGreaterThan(0);
    expect(calls.slice(0, calls.lastIndexOf('launch'))).toContain('list');
  });

  it('launches no more of them when the run has ended meanwhile', async () => {
    const world = newWorld();
    world.cloud.capabilities.maxBatch = 1;
    const gate = Promise.withResolvers<void>();
    world.cloud.gates.launch = gate.promise;
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 3 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    await engine.terminate(id, 'a user');
    gate.resolve();
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
    expect(world.cloud.calls.filter((call) => call === 'launch')).toHaveLength(1);
  });
});

describe('a launch whose request arrives late', () => {
  it('is looked for before every other attempt, not only before the next', async () => {
    const world = newWorld();
    const { cloud } = world;
    const refused = (code: 'timeout' | 'throttled'): Fault => ({ method: 'launch', when: 'before', error: new ConnectorError(code, code) });
    cloud.faults.push(refused('timeout'), refused('throttled'));
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => {
      world.clock.pass(100);
      expect(cloud.faults).toEqual([]);
    });
    const { token = '' } = (await engine.run(id)).instances.get('n.1')?.machine ?? {};
    const owner = { engine: engineId(key), run: id, node: 'n' };
    cloud.arrive({ token, owner, machines: [{ index: 1, name: 'late', userData: new Uint8Array() }] });
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).instances[0]?.stage).toBe('booting');
    });
    expect([...cloud.machines.keys()]).toEqual(['i-1']);
  });
});

describe('a machine that has joined before its cloud shows it', () => {
  it('is looked for, and not made again', async () => {
    const world = newWorld();
    const { cloud } = world;
    cloud.faults.push(lostAnswer('launch'));
    cloud.onLaunch = ({ id }) => cloud.hidden.add(id);
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(cloud.hidden.size).toBe(1));
    const [machine] = cloud.machines.values();
    await joinFromUserData(engine, machine?.userData ?? '', 'key');
    await pass(world, 10_000);
    expect([...cloud.machines.keys()]).toEqual(['i-1']);
    cloud.hidden.clear();
    await vi.waitFor(async () => {
      await pass(world, 1000);
      expect((await engine.run(id)).instances.get('n.1')?.machine.id).toBe('i-1');
    });
    expect((await engine.runDetail(id)).abort).toBeNull();
  });
});

describe('a launch that a cloud carries out twice', () => {
  it('leaves the instance with one of the machines, and its parameters say which', async () => {
    const world = newWorld();
    world.cloud.faults.push(lostAnswer('launch'));
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1));
    const [machine] = world.cloud.machines.values();
    if (machine !== undefined) world.cloud.machines.set('i-twin', { ...machine, id: 'i-twin', privateIps: ['10.9.9.9'] });
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).instances[0]?.stage).toBe('booting');
    });
    const run = await engine.run(id);
    expect([run.instances.get('n.1')?.machine.id, run.parameters.get('n.1:instanceid')?.value]).toEqual(['i-1', 'i-1']);
  });
});

describe('a cloud that hides new machines for a while, and answers late', () => {
  it('is believed for the time when it was asked', async () => {
    const world = newWorld();
    const { cloud, clock } = world;
    cloud.capabilities.listConsistencyMs = 5000;
    const gate = Promise.withResolvers<void>();
    cloud.gates.describe = gate.promise;
    cloud.onLaunch = (machine) => {
      machine.privateIps = [];
      cloud.hidden.add(machine.id);
    };
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(cloud.calls).toContain('describe'));
    clock.pass(6000);
    cloud.hidden.clear();
    gate.resolve();
    await vi.waitFor(() => {
      clock.pass(1000);
      expect(cloud.calls.filter((call) => call === 'describe').length).toBeGreaterThan(1);
    });
    expect((await engine.runDetail(id)).abort).toBeNull();
  });
});

describe('a machine that its cloud hides for a while', () => {
  it('is not lost because the engine that goes on has a clock that is ahead', async () => {
    const world = newWorld();
    const { cloud, clock } = world;
    cloud.capabilities.listConsistencyMs = 5000;
    cloud.onLaunch = (machine) => {
      machine.privateIps = [];
      cloud.hidden.add(machine.id);
    };
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const stageOf = async (engine: Engine): Promise<string | undefined> => (await engine.runDetail(id)).instances[0]?.stage;
    const first = await openEngine(world);
    await vi.waitFor(async () => expect(await stageOf(first)).toBe('booting'));
    freeze(first, 'dead');
    clock.pass(6000);
    const second = await openEngine(world);
    await vi.waitFor(() => expect(cloud.calls.at(-1)).toBe('describe'));
    await pass(world, 4000);
    expect(await stageOf(second)).toBe('booting');
    cloud.hidden.clear();
    await pass(world, 4000);
    expect((await second.runDetail(id)).abort).toBeNull();
  });
});

describe('a launch that hangs while its run is read again', () => {
  it('keeps others from being made, and nobody from looking at those that are there', async () => {
    const world = newWorld();
    const { cloud } = world;
    cloud.capabilities.maxBatch = 1;
    const gate = Promise.withResolvers<void>();
    cloud.onLaunch = (machine) => {
      machine.privateIps = [];
      cloud.gates.launch = gate.promise;
    };
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(cloud.machines.size).toBe(2));
    world.database.failure = new Error('disk full');
    await expect((await engine.activeRun(id)).abort('a test')).rejects.toThrow('disk full');
    world.database.failure = undefined;
    await recovered(world, engine, id);
    const before = [...cloud.calls];
    await pass(world, 10_000);
    expect(new Set(cloud.calls.slice(before.length))).toEqual(new Set(['describe']));
    gate.resolve();
    await vi.waitFor(async () => {
      await pass(world, 1000);
      expect((await engine.runDetail(id)).instances.map(({ stage }) => stage)).toEqual(['booting', 'booting']);
    });
    expect(cloud.machines.size).toBe(2);
  });
});

/** Lets time pass in small steps, each with what it brings. */
async function pass(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    world.clock.pass(250);
    for (let i = 0; i < 4; i++) await new Promise(setImmediate);
  }
}
