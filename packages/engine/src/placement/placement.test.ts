import type { Engine } from '../index.ts';
import { describe, expect, test, vi } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { FakeCloud } from '../testing/fake-cloud.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { newWorld, openEngine, startRun, type World } from '../testing/test-engine.ts';
import { firstCloud } from './candidates.ts';
import { place } from './place.ts';

const full = new ConnectorError('capacity', 'there is no valid host');

describe('a choice of clouds', () => {
  const placed = (cloud: string) => place(planOf({ n: nodeOf({ cloud }) }), ['one', 'two', 'three']).nodes['n'];

  test('is the first that is named, and the others are tried after it', () => {
    expect(placed('two')).toEqual(nodeOf({ cloud: 'two' }));
    expect(placed('any')).toEqual(nodeOf({ cloud: 'one', elsewhere: ['two', 'three'] }));
    expect(placed('three,any')).toEqual(nodeOf({ cloud: 'three', elsewhere: ['one', 'two'] }));
  });

  test('or so many to each, in turns', () => {
    const shares = [
      { cloud: 'one', count: 2 },
      { cloud: 'two', count: 1 },
    ];
    expect(placed('one*2+two')).toEqual(nodeOf({ cloud: 'one', shares }));
    expect([1, 2, 3, 4, 5, 6].map((index) => firstCloud({ cloud: 'one', shares }, index))).toEqual([
      'one',
      'one',
      'two',
      'one',
      'one',
      'two',
    ]);
  });
});

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
    for (const node of [
      { built: { image: 'x', layers: 1, digest: 'd' }, elsewhere: ['other'] },
      { shares: [{ cloud: 'test', count: 1 }], elsewhere: ['other'] },
    ]) {
      const world = worldOfTwo();
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
