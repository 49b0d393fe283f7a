import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlannedNode, RunPlan } from '../resolved/run-plan.ts';
import { planOf, type TestNode } from '../testing/plans.ts';
import type { CloudOffers } from './cloud-room.ts';
import { firstCloud, placedAs, placeRun } from './place-run.ts';

function cloudOf(name: string, free?: number): CloudOffers {
  return free === undefined ? { name } : { name, quota: { machines: { used: 1, max: free + 1 } } };
}

/** Where the machines of a node are tried first. */
function cloudsOf({ nodes }: RunPlan, node: string): string[] {
  const planned = nodes[node];
  return planned === undefined ? [] : Array.from({ length: planned.multiplicity }, (_, at) => firstCloud(planned, at + 1));
}

describe('without anything known', () => {
  const placed = (cloud: string, multiplicity = 1): PlannedNode | undefined =>
    placeRun(
      planOf({ n: { cloud, multiplicity } }),
      ['one', 'two', 'three'].map((name) => cloudOf(name)),
    ).plan.nodes['n'];

  test('the first cloud is taken that is named, and the others are tried after it', () => {
    expect(placed('two')).toMatchObject({ choice: 'two', cloud: 'two' });
    expect(placed('two')).not.toHaveProperty('elsewhere');
    expect(placed('any')).toMatchObject({ choice: 'any', cloud: 'one', elsewhere: ['two', 'three'] });
    expect(placed('three,any')).toMatchObject({ cloud: 'three', elsewhere: ['one', 'two'] });
  });

  test('or each has its share, in turns, and nothing else', () => {
    const node = placed('one*2+two', 6);
    expect(node).not.toHaveProperty('elsewhere');
    expect(cloudsOf(planOf({}), 'n')).toEqual([]);
    expect([1, 2, 3, 4, 5, 6].map((index) => firstCloud(node ?? { cloud: '' }, index))).toEqual(['one', 'one', 'two', 'one', 'one', 'two']);
  });
});

describe('with room that is known', () => {
  test('the first cloud is taken that has room for all of a node', () => {
    const { plan, problems } = placeRun(planOf({ n: { cloud: 'any', multiplicity: 3 } }), [
      cloudOf('one', 2),
      cloudOf('two', 3),
      cloudOf('three'),
    ]);
    expect(problems).toEqual([]);
    expect(plan.nodes['n']).toMatchObject({ cloud: 'two', elsewhere: ['one', 'three'] });
  });

  test('a node is spread over clouds when none has room for all of it, and may go on to all of them', () => {
    const { plan, problems } = placeRun(planOf({ n: { cloud: 'two,one', multiplicity: 4 } }), [cloudOf('one', 3), cloudOf('two', 2)]);
    expect(problems).toEqual([]);
    expect(cloudsOf(plan, 'n')).toEqual(['two', 'two', 'one', 'one']);
    expect(plan.nodes['n']?.elsewhere).toEqual(['two', 'one']);
  });

  test('nodes with a choice leave the room to those without', () => {
    const { plan, problems } = placeRun(planOf({ free: { cloud: 'any' }, bound: { cloud: 'one', multiplicity: 2 } }), [
      cloudOf('one', 2),
      cloudOf('two', 5),
    ]);
    expect(problems).toEqual([]);
    expect([cloudsOf(plan, 'free'), cloudsOf(plan, 'bound')]).toEqual([['two'], ['one', 'one']]);
  });

  test('what does not fit anywhere is told with the numbers', () => {
    const lab: CloudOffers = {
      name: 'lab',
      quota: { machines: { used: 3, max: 10 }, cpus: { used: 0, max: 8 } },
      offers: [{ name: 'm', cpus: 4, memoryMiB: 1024, price: null }],
    };
    const problemsOf = (nodes: Record<string, TestNode>): string[] => placeRun(planOf(nodes), [lab, cloudOf('two', 1)]).problems;
    expect(problemsOf({ web: { cloud: 'lab', multiplicity: 8 } })).toEqual([
      'web: lab has 7 of 10 machines left for it, and 8 are wanted, and 8 of 8 CPUs left for it, and 32 are wanted',
    ]);
    expect(problemsOf({ web: { cloud: 'any', multiplicity: 4 } })).toEqual([
      'web: lab has 8 of 8 CPUs left for it, and 16 are wanted; two has 1 of 2 machines left for it, and 4 are wanted',
    ]);
    expect(problemsOf({ big: { cloud: 'lab', cpus: 64 } })).toEqual(['big: no size of machines of lab is large enough']);
    expect(problemsOf({ web: { cloud: 'lab*2+two*3', multiplicity: 5 } })).toEqual([
      'web: two has 1 of 2 machines left for it, and 3 are wanted',
    ]);
    // What one node has taken is not there for another one.
    expect(problemsOf({ one: { cloud: 'lab' }, two: { cloud: 'lab', multiplicity: 2 } })).toEqual([
      'two: lab has 4 of 8 CPUs left for it, and 8 are wanted',
    ]);
  });

  test('the same plan can be placed as it was before', () => {
    const asked = planOf({ n: { cloud: 'two,one', multiplicity: 4 }, m: { cloud: 'any' } });
    const { plan } = placeRun(asked, [cloudOf('one', 3), cloudOf('two', 2)]);
    expect(placedAs(asked, plan)).toEqual(plan);
  });

  test('all machines have a place, no cloud has more than it has room for, and it is refused only when there is too little in all', () => {
    const rooms = fc.array(fc.option(fc.nat(6), { nil: undefined }), { minLength: 1, maxLength: 4 });
    const nodes = fc.array(fc.nat(8), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(rooms, nodes, (free, counts) => {
        const clouds = free.map((room, at) => cloudOf(`c${at}`, room));
        const wanted = Object.fromEntries(counts.map((multiplicity, at) => [`n${at}`, { cloud: 'any', multiplicity }]));
        const { plan, problems } = placeRun(planOf(wanted), clouds);
        const used = Map.groupBy(
          Object.keys(wanted).flatMap((node) => cloudsOf(plan, node)),
          (cloud) => cloud,
        );
        expect([...used.values()].flat()).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
        const room = free.reduce<number>((sum, each) => sum + (each ?? Number.POSITIVE_INFINITY), 0);
        expect(problems.length === 0).toBe(counts.reduce((sum, count) => sum + count, 0) <= room);
        if (problems.length > 0) return;
        for (const [at, each] of free.entries())
          expect(used.get(`c${at}`)?.length ?? 0).toBeLessThanOrEqual(each ?? Number.POSITIVE_INFINITY);
      }),
    );
  });
});

describe('by a policy', () => {
  const priced = (name: string, amount: number | null, currency = 'EUR', free = 10): CloudOffers => ({
    ...cloudOf(name, free),
    offers: [{ name: 's', cpus: 1, memoryMiB: 1, price: amount === null ? null : { amount, currency } }],
  });
  const clouds = [priced('unknown', null), priced('dear', 3), priced('dollars', 1, 'USD'), priced('cheap', 2, 'EUR', 2)];

  test('the cheapest is taken that has room, and the next cheapest is tried after it', () => {
    const { plan } = placeRun(planOf({ n: { cloud: 'any:price' }, many: { cloud: 'any:price', multiplicity: 5 } }), clouds);
    expect(plan.nodes['n']).toMatchObject({ choice: 'any:price', cloud: 'cheap', elsewhere: ['dear', 'unknown', 'dollars'] });
    expect(cloudsOf(plan, 'many')).toEqual(Array(5).fill('dear'));
  });

  test('nodes that are spread are spread together, and what has no room gets no more', () => {
    const rooms = [cloudOf('one'), cloudOf('two', 2), cloudOf('three')];
    const { plan } = placeRun(
      planOf({ a: { cloud: 'any:spread' }, b: { cloud: 'any:spread' }, c: { cloud: 'any:spread', multiplicity: 6 } }),
      rooms,
    );
    expect([cloudsOf(plan, 'a'), cloudsOf(plan, 'b')]).toEqual([['one'], ['two']]);
    expect(cloudsOf(plan, 'c')).toEqual(['one', 'one', 'two', 'three', 'three', 'three']);
    expect(plan.nodes['c']?.elsewhere).toEqual(['one', 'two', 'three']);
  });

  test('no cloud of a spread has two machines more than another one with room', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }), fc.nat(30), (free, multiplicity) => {
        const { plan, problems } = placeRun(
          planOf({ n: { cloud: 'any:spread', multiplicity } }),
          free.map((room, at) => cloudOf(`c${at}`, room)),
        );
        const counts = free.map((_, at) => cloudsOf(plan, 'n').filter((cloud) => cloud === `c${at}`).length);
        expect(problems.length > 0).toBe(free.reduce((sum, room) => sum + room, 0) < multiplicity);
        if (problems.length > 0) return;
        const most = Math.max(...counts);
        for (const [at, count] of counts.entries()) if (count < (free[at] ?? 0)) expect(most - count).toBeLessThanOrEqual(1);
      }),
    );
  });
});
