import { describe, expect, it, vi } from 'vitest';
import { ConnectorError, type LaunchRequest } from '../connector/index.ts';
import { createRun } from '../run/create.ts';
import { lostAnswer, FakeCloud } from '../testing/fake-cloud.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { bringUp, instanceIn, joinFromUserData, newWorld, openEngine, startRun, type World } from '../testing/test-engine.ts';
import { batchOf, placeKeyOf } from './batch.ts';

const sharedLaunch = { maxBatch: 200, placeKey: 'ds.meta_data.launch_index' };

function sharingWorld(): World {
  const world = newWorld();
  world.cloud.capabilities.sharedLaunch = sharedLaunch;
  return world;
}

const launches = ({ cloud }: World): number => cloud.calls.filter((method) => method === 'launch').length;
const identities = ({ cloud }: World): string[] =>
  [...cloud.machines.values()].map(({ userData, place }) => instanceIn(userData, place)).toSorted();
const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `n.${at + 1}`).toSorted();

describe('a launch with user data in common', () => {
  it('takes one call for thirty machines, each of which joins as itself', async () => {
    const world = sharingWorld();
    const { agents } = await bringUp(world, planOf({ n: nodeOf({ multiplicity: 30 }) }));
    expect(launches(world)).toBe(1);
    expect([...agents.keys()].toSorted()).toEqual(numbered(30));
    expect(new Set([...world.cloud.machines.values()].map(({ userData }) => userData)).size).toBe(1);
  });

  it('takes five calls for a thousand machines', async () => {
    const world = sharingWorld();
    await startRun(world, planOf({ n: nodeOf({ multiplicity: 1000 }) }));
    await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(1000), { timeout: 20_000 });
    expect(launches(world)).toBe(5);
    expect(identities(world)).toEqual(numbered(1000));
  }, 30_000);

  it('asks again, for those together that could not be had', async () => {
    const world = sharingWorld();
    world.cloud.room = 4;
    await startRun(world, planOf({ n: nodeOf({ multiplicity: 10 }) }));
    await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.machines.size).toBe(4));
    world.cloud.room = 100;
    await vi.waitFor(() => {
      world.clock.pass(1000);
      expect(world.cloud.machines.size).toBe(10);
    });
    expect(launches(world)).toBe(2);
    expect(identities(world)).toEqual(numbered(10));
  });

  it('makes none twice when its answer is lost', async () => {
    const world = sharingWorld();
    world.cloud.faults.push(lostAnswer('launch'));
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 8 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect((await engine.runDetail(id)).instances.every(({ stage }) => stage === 'booting')).toBe(true);
    });
    expect(identities(world)).toEqual(numbered(8));
  });

  it('lets nobody in as a machine that has joined already', async () => {
    const world = sharingWorld();
    const { engine, id } = await bringUp(world, planOf({ n: nodeOf({ multiplicity: 3 }) }));
    const [machine] = world.cloud.machines.values();
    await expect(joinFromUserData(engine, machine?.userData ?? '', 'a neighbour', 2)).rejects.toMatchObject({
      code: 'PACELINE_JOIN_REFUSED',
    });
    const alarms = (await engine.store.events(id, 0, 1000)).filter(({ type }) => type === 'security.alarm');
    expect(alarms.map(({ message }) => message)).toEqual([expect.stringContaining('n.3')]);
  });

  it('is not asked of a cloud that each machine has to be launched by itself on', async () => {
    const world = newWorld();
    const requests: LaunchRequest[] = [];
    const launch = world.cloud.connector.launch.bind(world.cloud.connector);
    world.cloud.connector.launch = (request, context) => (requests.push(request), launch(request, context));
    await bringUp(world, planOf({ n: nodeOf({ multiplicity: 3 }) }));
    expect(requests.map(({ shared }) => shared)).toEqual([undefined]);
  });

  it('says why when there is no room for any', async () => {
    const world = sharingWorld();
    world.cloud.faults.push({ method: 'launch', when: 'before', error: new ConnectorError('capacity', 'there is no room') });
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 3 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(async () => expect((await engine.runDetail(id)).abort?.reason).toContain('there is no room'));
  });
});

describe('a batch', () => {
  const run = createRun({
    id: 'a1b2c3d4-0000-4000-8000-000000000000',
    name: 'test',
    plan: planOf({ n: nodeOf({ multiplicity: 500 }) }),
    by: 'me',
    project: 'default',
    tags: [],
    now: 0,
  });
  const instances = [...run.instances.values()];
  const cloud = { name: 'c', connector: new FakeCloud().connector };
  const sharing = {
    ...cloud,
    connector: { ...cloud.connector, capabilities: { ...cloud.connector.capabilities, maxBatch: 50, sharedLaunch } },
  };

  it('is as large as the cloud takes', () => {
    expect(batchOf(instances, cloud)).toHaveLength(100);
    expect(batchOf(instances, sharing)).toHaveLength(200);
    expect(placeKeyOf(instances.slice(0, 200), sharing)).toBe(sharedLaunch.placeKey);
    expect(placeKeyOf(instances.slice(0, 1), sharing)).toBeUndefined();
  });

  it('has user data of its own for each machine that is reached by a tunnel', () => {
    expect(batchOf(instances, { ...sharing, reach: 'tunnel' })).toHaveLength(50);
    expect(placeKeyOf(instances, { ...sharing, reach: 'tunnel' })).toBeUndefined();
  });

  it('is smaller where the numbers of its machines would not fit into a tag', () => {
    const odd = instances.filter(({ index }) => index % 2 === 1);
    const batch = batchOf(odd, sharing);
    expect(batch.length).toBeGreaterThanOrEqual(50);
    expect(batch.map(({ index }) => index).join(' ').length).toBeLessThanOrEqual(200);
    const far = odd.map((instance) => ({ ...instance, index: instance.index + 100_000 }));
    expect(batchOf(far, sharing)).toHaveLength(50);
    expect(placeKeyOf(batchOf(far, sharing), sharing)).toBeUndefined();
  });
});
