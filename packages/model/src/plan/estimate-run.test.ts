import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planOf } from '../testing/plans.ts';
import type { CloudOffers } from './cloud-room.ts';
import { estimateRun } from './estimate-run.ts';

const lab: CloudOffers = {
  name: 'lab',
  quota: { machines: { used: 3, max: 10 }, cpus: { used: 0, max: null } },
  offers: [
    { name: 'small', cpus: 1, memoryMiB: 1024, price: { amount: 0.25, currency: 'EUR' } },
    { name: 'large', cpus: 4, memoryMiB: 8192, price: null },
  ],
};
const here: CloudOffers = { name: 'here' };

test('prices are added up by currency; what nobody knows is unknown and not nothing', () => {
  const plan = planOf({
    web: { cloud: 'lab', multiplicity: 2 },
    db: { cloud: 'lab', multiplicity: 1, cpus: 2 },
    one: { cloud: 'here', multiplicity: 1 },
  });
  expect(estimateRun(plan, [lab, here])).toEqual({
    shares: [
      { node: 'web', cloud: 'lab', count: 2, offer: 'small', price: { amount: 0.5, currency: 'EUR' } },
      { node: 'db', cloud: 'lab', count: 1, offer: 'large', price: null },
      { node: 'one', cloud: 'here', count: 1, offer: null, price: null },
    ],
    perHour: { EUR: 0.5 },
    unpriced: 2,
    problems: [],
  });
});

test('too little quota and sizes that are too small are said beforehand', () => {
  const plan = planOf({ web: { cloud: 'lab', multiplicity: 8 }, big: { cloud: 'lab', multiplicity: 1, cpus: 64 } });
  expect(estimateRun(plan, [lab, here]).problems.toSorted()).toEqual([
    'big: no size of machines of lab is large enough',
    'web: lab has 7 of 10 machines left for it, and 8 are wanted',
  ]);
});

test('every machine is counted once, however they are shared', () => {
  fc.assert(
    fc.property(
      fc.nat(200),
      fc.array(fc.tuple(fc.constantFrom('lab', 'here'), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 4 }),
      (multiplicity, shares) => {
        const cloud = `${shares.map(([name, count]) => `${name}*${count}`).join('+')}`;
        const { shares: found } = estimateRun(planOf({ n: { cloud, multiplicity } }), [lab, here]);
        expect(found.reduce((total, { count }) => total + count, 0)).toBe(multiplicity);
      },
    ),
  );
});
