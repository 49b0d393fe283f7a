import { overBudget, PacelineError, type Cost } from '@paceline/model';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { placeOf } from './moving.ts';

const hourMs = 3_600_000;

/** A machine that is there, or is to be. */
type Place = Pick<Instance, 'node'> & { cloud: string };

/**
 * What would be over the run's budgets if it had other machines than it has.
 * @param more which it would have, beside those that it has
 * @param without one that it has now
 */
export function overBudgetWith(run: Run, more: readonly Place[], now: number, without?: Instance): string[] {
  return overBudget(run.plan, (currency) => {
    const cost: Cost = { perHour: 0, total: 0, unknown: 0 };
    const left = Math.max(0, run.facts.expiresAt - now) / hourMs;
    const add = (place: Place, spent: number, isLive: boolean): void => {
      const price = priceOf(run, place, currency);
      if (isLive && price === undefined) cost.unknown += 1;
      if (isLive) cost.perHour += price ?? 0;
      cost.total += (price ?? 0) * (spent + (isLive ? left : 0));
    };
    for (const instance of run.instances.values()) {
      if (instance !== without) add(placeOf(instance), hoursOf(instance, now), isLive(instance));
    }
    for (const place of more) add(place, 0, true);
    return cost;
  });
}

/** @param what would cost so much */
export function tooExpensive(what: string, problems: readonly string[]): PacelineError {
  return new PacelineError('PACELINE_OVER_BUDGET', `${what} would cost more than the run may: ${problems.join('; ')}`, {
    data: { problems },
    hint: 'Ask for fewer or smaller machines, a shorter lifetime or a cheaper cloud, or give it a larger budget.',
  });
}

/** When a run has spent what it may, in milliseconds since the epoch; infinite when it never does. */
export function budgetEnd(run: Run): number {
  const ends = (run.plan.budgets ?? []).flatMap(({ currency, total }) => (total === undefined ? [] : [spentAt(run, currency, total)]));
  return Math.min(Number.POSITIVE_INFINITY, ...ends);
}

/** When so much is spent. Machines cost from their launch until they are gone. */
function spentAt(run: Run, currency: string, amount: number): number {
  let perHour = 0;
  /** What would be spent at the beginning of time, as if the machines that are there now had cost less than nothing before. */
  let spent = 0;
  for (const instance of run.instances.values()) {
    const price = priceOf(run, { node: instance.node, cloud: instance.machine.cloud }, currency) ?? 0;
    const { launchedAt, endedAt } = instance.machine;
    if (launchedAt === null) continue;
    if (endedAt === null) perHour += price;
    spent += (price * ((endedAt ?? 0) - launchedAt)) / hourMs;
  }
  return perHour === 0 ? Number.POSITIVE_INFINITY : Math.ceil(((amount - spent) / perHour) * hourMs);
}

/** Of one machine for an hour; undefined when nobody knows, or only in another currency. */
function priceOf(run: Run, { node, cloud }: Place, currency: string): number | undefined {
  const price = run.plan.nodes[node]?.prices?.[cloud];
  return price?.currency === currency ? price.amount : undefined;
}

function isLive({ dropped, machine: { status } }: Instance): boolean {
  return !dropped && status !== 'gone';
}

function hoursOf({ machine: { launchedAt, endedAt } }: Instance, now: number): number {
  return launchedAt === null ? 0 : Math.max(0, (endedAt ?? now) - launchedAt) / hourMs;
}
