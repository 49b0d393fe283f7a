import type { RunRequest } from '@paceline/api';
import type { Engine } from '../index.ts';
import { describe, expect, test, vi } from 'vitest';
import { ConnectorError, type Offer, type Quota } from '../connector/index.ts';
import { FakeCloud } from '../testing/fake-cloud.ts';
import { imageOf, nodeOf, planOf } from '../testing/plans.ts';
import { newWorld, openEngine, startRun, type World } from '../testing/test-engine.ts';
import { patienceMs } from './room.ts';

const full = new ConnectorError('capacity', 'there is no valid host');

describe('a cloud without room', () => {
  const worldOfTwo = (): World & { others: { other: FakeCloud } } => ({ ...newWorld(), others: { other: new FakeCloud() } });
  const cloudsOf = async (engine: Engine, id: string): Promise<string[]> =>
    (await engine.runDetail(id)).instances.map(({ cloud }) => cloud);
  const passing = (world: World, look: () => Promise<void> | void): Promise<void> =>
    vi.waitFor(async () => {
      world.clock.pass(1000);
      await look();
    });

  test.each(['capacity', 'quota'] as const)('is left for the next one: %s', async (code) => {
    const world = worldOfTwo();
    world.cloud.faults.push({ method: 'launch', when: 'before', error: new ConnectorError(code, 'no more') });
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2, elsewhere: ['other'] }) }));
    const engine = await openEngine(world);
    await passing(world, () => expect(world.others.other.machines.size).toBe(2));
    expect(await cloudsOf(engine, id)).toEqual(['other', 'other']);
    expect(world.cloud.machines.size).toBe(0);
    await engine.terminate(id, 'me');
    await passing(world, async () => expect((await engine.runDetail(id)).state).toBe('Cancelled'));
    expect(world.others.other.machines.size).toBe(0);
    // What a launch makes before its machines, such as a group, may be left where there was no room.
    expect(world.cloud.calls).toContain('list');
  });

  test('that finds out late is left after the end of what it has made', async () => {
    const world = worldOfTwo();
    world.cloud.onLaunch = (machine) =>
      world.cloud.machines.set(machine.id, { ...machine, state: 'error', fault: 'No valid host', noRoom: true });
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 2, elsewhere: ['other'] }) }));
    const engine = await openEngine(world);
    await passing(world, () => expect(world.others.other.machines.size).toBe(2));
    expect(world.cloud.machines.size).toBe(0);
    expect(await cloudsOf(engine, id)).toEqual(['other', 'other']);
    const said = (await engine.store.events(id, 0, 1000)).map(({ message }) => message).filter((message) => message.includes('no room'));
    expect(said).toEqual([1, 2].map((n) => `n.${n}: test has no room for it, other is tried: No valid host`));
  });

  test('ends the run when there is no other, as it always did', async () => {
    const world = worldOfTwo();
    world.cloud.faults.push({ method: 'launch', when: 'before', error: full });
    world.others.other.faults.push({ method: 'launch', when: 'before', error: full });
    const id = await startRun(world, planOf({ n: nodeOf({ elsewhere: ['other'] }) }));
    const engine = await openEngine(world);
    await passing(world, async () => expect((await engine.runDetail(id)).abort?.reason).toContain('n.1 could not be launched on other'));
  });

  test('keeps what was built there, and the share that it was to have', async () => {
    const by = {
      cloud: 'test',
      digest: 'd',
      recipe: 'd',
      module: 'm',
      resource: 'r',
      login: null,
      account: null,
      run: 'run',
      project: 'default',
    };
    const built = { ...by, image: 'x', madeAt: 0, usedAt: 0, pinned: false, lostAt: null };
    for (const node of [
      { built: { image: 'x', layers: 1, digest: 'd' }, elsewhere: ['other'] },
      { shares: [{ cloud: 'test', count: 1 }] },
    ]) {
      const world = worldOfTwo();
      const builder = await openEngine(world);
      await builder.store.images.put(built);
      await builder.close();
      world.cloud.faults.push({ method: 'launch', when: 'before', error: full });
      const id = await startRun(world, planOf({ n: nodeOf(node) }));
      const engine = await openEngine(world);
      await passing(world, async () => expect((await engine.runDetail(id)).abort?.reason).toContain('n.1 could not be launched on test'));
      expect(world.others.other.calls).toEqual([]);
    }
  });

  test('shares are launched on their own clouds, with tokens of their own', async () => {
    const world = worldOfTwo();
    const shares = [
      { cloud: 'test', count: 2 },
      { cloud: 'other', count: 1 },
    ];
    await startRun(world, planOf({ n: nodeOf({ multiplicity: 6, shares }) }));
    await openEngine(world);
    await passing(world, () => expect([world.cloud.machines.size, world.others.other.machines.size]).toEqual([4, 2]));
    const tokens = [world.cloud, world.others.other].map(({ machines }) => new Set([...machines.values()].map(({ token }) => token)));
    expect(tokens.map(({ size }) => size)).toEqual([1, 1]);
    expect(tokens[0]).not.toEqual(tokens[1]);
  });
});

describe('a run that is asked for', () => {
  const requestOf = (multiplicity: number, cloud = 'any', id?: string): RunRequest => ({
    ...(id !== undefined && { id }),
    deployment: {
      kind: 'Deployment',
      name: 'shop',
      tags: [],
      module: 'shop',
      parameters: {},
      nodes: { web: { image: imageOf(), multiplicity, cloud, maxProvisioningFailures: 0, parameters: {} } },
      keepRunning: 'on-success',
      timeoutMs: 60_000,
      lifetimeMs: 3_600_000,
      onStall: 'abort',
      digest: 'd'.repeat(64),
    },
  });
  const limited = (used: number, max: number): Promise<Quota> => Promise.resolve({ machines: { used, max } });
  const worldWith = (one: () => Promise<Quota>, other: () => Promise<Quota>): World & { others: { other: FakeCloud } } => {
    const world = { ...newWorld(), others: { other: new FakeCloud() } };
    world.cloud.connector.quota = one;
    world.others.other.connector.quota = other;
    return world;
  };
  const launches = ({ cloud, others }: World): number[] =>
    [cloud, ...Object.values(others ?? {})].map(({ calls }) => calls.filter((call) => call === 'launch').length);

  test('is refused with the numbers when it cannot fit, before anything is launched', async () => {
    const world = worldWith(
      () => limited(3, 5),
      () => limited(0, 1),
    );
    const engine = await openEngine(world);
    await expect(engine.createRun(requestOf(4), 'me')).rejects.toMatchObject({
      code: 'PACELINE_NO_ROOM',
      message: `There is no room for a run of shop. web: test has 2 of 5 machines left for it, and 4 are wanted; other has 1 of 1 machines left for it, and 4 are wanted`,
    });
    expect(launches(world)).toEqual([0, 0]);
    expect(await engine.listRuns({ activeOnly: false, limit: 10, offset: 0 })).toEqual([]);
  });

  test('goes to a cloud that has room', async () => {
    const world = worldWith(
      () => limited(3, 5),
      () => limited(0, 9),
    );
    const engine = await openEngine(world);
    const { run } = await engine.createRun(requestOf(4), 'me');
    expect(run.instances.map(({ cloud }) => cloud)).toEqual(['other', 'other', 'other', 'other']);
    await vi.waitFor(() => expect(world.others.other.machines.size).toBe(4));
    expect(launches(world)[0]).toBe(0);
  });

  test('is shared among clouds when none has room for all of it', async () => {
    const world = worldWith(
      () => limited(3, 5),
      () => limited(0, 3),
    );
    const { run } = await (await openEngine(world)).createRun(requestOf(4), 'me');
    expect(run.instances.map(({ cloud }) => cloud)).toEqual(['test', 'test', 'other', 'other']);
  });

  test('is not refused by a cloud that fails to say what it allows, or says it too late', async () => {
    const world = worldWith(
      () => Promise.reject(new ConnectorError('forbidden', 'limits are secret')),
      () => new Promise(() => {}),
    );
    const engine = await openEngine(world);
    expect((await engine.createRun(requestOf(2, 'test'), 'me')).run.instances).toHaveLength(2);
    const late = engine.createRun(requestOf(2, 'other'), 'me');
    await vi.waitFor(async () => {
      world.clock.pass(patienceMs);
      expect((await Promise.race([late, Promise.resolve()]))?.run.instances).toHaveLength(2);
    });
    expect(world.warnings).toEqual([
      'test does not say what room it has: limits are secret',
      'other has not said within 5 s what room it has: nothing is refused for want of it',
    ]);
  });

  test('is the same run when it is asked for again, although the room that was left is its own by now', async () => {
    let used = 0;
    const world = worldWith(
      () => limited(used, 3),
      () => limited(0, 3),
    );
    const engine = await openEngine(world);
    const id = 'a1b2c3d4-0000-4000-8000-00000000000f';
    const first = await engine.createRun(requestOf(3, 'any', id), 'me');
    used = 3;
    expect((await engine.createRun(requestOf(3, 'any', id), 'me')).run.instances.map(({ cloud }) => cloud)).toEqual(
      first.run.instances.map(({ cloud }) => cloud),
    );
    await expect(engine.createRun(requestOf(3, 'test', id), 'me')).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
  });

  describe('on clouds that tell their prices', () => {
    const priced = (amount: number | null): (() => Promise<Offer[]>) => {
      const price = amount === null ? null : { amount, currency: 'EUR' };
      return async () => [{ name: 's', cpus: 1, memoryMiB: 1024, price }];
    };
    const market = (one: number | null, other: number | null): World & { others: { other: FakeCloud } } => {
      const world = { ...newWorld(), others: { other: new FakeCloud() } };
      world.cloud.connector.offers = priced(one);
      world.others.other.connector.offers = priced(other);
      return world;
    };
    const refusal = (message: string): object => ({
      code: 'PACELINE_OVER_BUDGET',
      message: `A run of shop would cost more than the run may: ${message}`,
    });

    test('goes to the cheapest when that is asked for', async () => {
      const { run } = await (await openEngine(market(2, 1))).createRun(requestOf(2, 'any:price'), 'me');
      expect(run.instances.map(({ cloud }) => cloud)).toEqual(['other', 'other']);
    });

    test('says what its machines cost, as far as that is known', async () => {
      const { run } = await (await openEngine(market(2, null))).createRun(requestOf(1, 'any'), 'me');
      expect(run.nodes.map(({ prices }) => prices)).toEqual([{ test: { amount: 2, currency: 'EUR' } }]);
      const { run: free } = await (await openEngine(market(null, null))).createRun(requestOf(1, 'any'), 'me');
      expect(free.nodes.map(({ prices }) => prices)).toEqual([undefined]);
    });

    test('is refused over its own budget, which counts instead of that of its deployment, and over that of the server, before anything is launched', async () => {
      const world = market(2, null);
      world.budget = { currency: 'EUR', perHour: 6 };
      const engine = await openEngine(world);
      const request = requestOf(3, 'test');
      const budgeted = { ...request, deployment: { ...request.deployment, budget: { currency: 'EUR', total: 5 } } };
      await expect(engine.createRun(budgeted, 'me')).rejects.toMatchObject(
        refusal('6 EUR in all are more than the 5 EUR of the budget of the run'),
      );
      await expect(engine.createRun(requestOf(4, 'test'), 'me')).rejects.toMatchObject(
        refusal('8 EUR an hour are more than the 6 EUR of the budget of the server'),
      );
      expect(launches(world)).toEqual([0, 0]);
      expect((await engine.createRun({ ...budgeted, budget: { currency: 'EUR', total: 6 } }, 'me')).run.instances).toHaveLength(3);
    });

    test('of unknown price is refused only when known prices are asked for', async () => {
      const engine = await openEngine(market(null, null));
      const budget = { currency: 'EUR', total: 1 };
      expect((await engine.createRun({ ...requestOf(3), budget }, 'me')).run.instances).toHaveLength(3);
      await expect(engine.createRun({ ...requestOf(3), budget: { ...budget, knownPrices: true } }, 'me')).rejects.toMatchObject(
        refusal('3 machines have no price in EUR, which the budget of the run asks for'),
      );
    });
  });
});
