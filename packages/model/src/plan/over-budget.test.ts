import { describe, expect, test } from 'vitest';
import { budget } from '../resolved/budget.ts';
import type { PlannedBudget } from '../resolved/run-plan.ts';
import { planOf } from '../testing/plans.ts';
import type { CloudOffers } from './cloud-room.ts';
import { estimateRun } from './estimate-run.ts';

const lab: CloudOffers = { name: 'lab', offers: [{ name: 's', cpus: 1, memoryMiB: 1, price: { amount: 0.1, currency: 'EUR' } }] };
const here: CloudOffers = { name: 'here' };

/** What is over the budget when three machines of a lab run for four hours, with some of no known price. */
function problemsOf(limits: Omit<PlannedBudget, 'of'>, unknown = 0): string[] {
  const plan = planOf(
    { web: { cloud: 'lab', multiplicity: 3 }, other: { cloud: 'here', multiplicity: unknown } },
    { lifetimeMs: 4 * 3_600_000, budgets: [{ of: 'the run', ...limits }] },
  );
  return estimateRun(plan, [lab, here]).problems;
}

test('what costs as much as it may is within the budget, however numbers add up', () => {
  expect(problemsOf({ currency: 'EUR', perHour: 0.3, total: 1.2, knownPrices: true })).toEqual([]);
});

test('what costs more is over it, with the numbers', () => {
  expect(problemsOf({ currency: 'EUR', perHour: 0.29 })).toEqual(['0.3 EUR an hour are more than the 0.29 EUR of the budget of the run']);
  expect(problemsOf({ currency: 'EUR', total: 1 })).toEqual(['1.2 EUR in all are more than the 1 EUR of the budget of the run']);
});

test('unknown prices are refused only when the budget asks for known ones; so are those in another currency', () => {
  expect(problemsOf({ currency: 'EUR', total: 2 }, 5)).toEqual([]);
  expect(problemsOf({ currency: 'EUR', knownPrices: true }, 1)).toEqual([
    '1 machine has no price in EUR, which the budget of the run asks for',
  ]);
  expect(problemsOf({ currency: 'USD', total: 0.01 })).toEqual([]);
  expect(problemsOf({ currency: 'USD', total: 0.01, knownPrices: true })).toEqual([
    '3 machines have no price in USD, which the budget of the run asks for',
  ]);
});

describe('a budget', () => {
  test.each([
    { currency: 'EUR', perHour: 1 },
    { currency: 'EUR', total: 2.5 },
    { currency: 'EUR', knownPrices: true },
  ])('%j', (each) => {
    expect(budget.safeParse(each).success).toBe(true);
  });

  test.each([
    { currency: 'EUR' },
    { currency: 'euro', total: 1 },
    { total: 1 },
    { currency: 'EUR', total: 0 },
    { currency: 'EUR', total: -1 },
  ])('%j is none', (each) => {
    expect(budget.safeParse(each).success).toBe(false);
  });
});
