import { formatMoney } from '../quantity/money.ts';
import type { PlannedBudget, RunPlan } from '../resolved/run-plan.ts';

/** What machines cost in one currency. */
export interface Cost {
  /** For an hour. */
  perHour: number;
  /** What they will have cost at the end of the run's lifetime. */
  total: number;
  /** Machines whose price nobody knows, or only in another currency. */
  unknown: number;
}

/** What adding up makes of numbers such as 0.1 is no reason to refuse anything. */
const tolerance = 1 + 1e-9;

/** What is over the budgets of a run, in words for people. */
export function overBudget({ budgets = [] }: Pick<RunPlan, 'budgets'>, costIn: (currency: string) => Cost): string[] {
  return budgets.flatMap((budget) => overOne(budget, costIn(budget.currency)));
}

function overOne({ of, currency, perHour, total, knownPrices }: PlannedBudget, cost: Cost): string[] {
  const problems: string[] = [];
  if (perHour !== undefined && cost.perHour > perHour * tolerance)
    problems.push(
      `${formatMoney(cost.perHour, currency)} an hour are more than the ${formatMoney(perHour, currency)} of the budget of ${of}`,
    );
  if (total !== undefined && cost.total > total * tolerance)
    problems.push(`${formatMoney(cost.total, currency)} in all are more than the ${formatMoney(total, currency)} of the budget of ${of}`);
  if (knownPrices === true && cost.unknown > 0) {
    const machines = cost.unknown === 1 ? '1 machine has' : `${cost.unknown} machines have`;
    problems.push(`${machines} no price in ${currency}, which the budget of ${of} asks for`);
  }
  return problems;
}
