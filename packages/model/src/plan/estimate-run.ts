import type { RunPlan } from '../resolved/run-plan.ts';
import { offerFor, type CloudOffers } from './cloud-room.ts';
import { overBudget, type Cost } from './over-budget.ts';
import { firstCloud, placeRun } from './place-run.ts';

/** Some machines of a node on one cloud. */
export interface EstimatedShare {
  node: string;
  cloud: string;
  count: number;
  /** The size that they get; null when the cloud does not say which it has. */
  offer: string | null;
  /** For an hour and all of them; null when it is not known. */
  price: { amount: number; currency: string } | null;
}

export interface RunEstimate {
  shares: EstimatedShare[];
  /** For an hour, by currency, of what has a known price. */
  perHour: Record<string, number>;
  /** Machines whose price nobody knows: they are not for nothing. */
  unpriced: number;
  /** What will not work as it is planned: too little room, no size that is large enough, or more than the budget. */
  problems: string[];
}

/** What a run would cost and take where its machines are tried first. Pure: the clouds have been asked before. */
export function estimateRun(plan: RunPlan, clouds: readonly CloudOffers[]): RunEstimate {
  const { plan: placed, problems } = placeRun(plan, clouds);
  const estimate: RunEstimate = { shares: [], perHour: {}, unpriced: 0, problems };
  for (const [node, planned] of Object.entries(placed.nodes)) {
    const indices = Array.from({ length: planned.multiplicity }, (_, at) => at + 1);
    for (const [cloud, { length: count }] of Map.groupBy(indices, (index) => firstCloud(planned, index))) {
      const offer = offerFor(
        planned,
        clouds.find(({ name }) => name === cloud),
      );
      const each = planned.prices?.[cloud];
      const price = each === undefined ? null : { ...each, amount: each.amount * count };
      estimate.shares.push({ node, cloud, count, offer: offer?.name ?? null, price });
      if (price === null) estimate.unpriced += count;
      else estimate.perHour[price.currency] = (estimate.perHour[price.currency] ?? 0) + price.amount;
    }
  }
  problems.push(...overBudget(plan, (currency) => costIn(currency, estimate, plan.lifetimeMs)));
  return estimate;
}

function costIn(currency: string, { shares, perHour }: RunEstimate, lifetimeMs: number): Cost {
  const amount = perHour[currency] ?? 0;
  const others = shares.filter(({ price }) => price?.currency !== currency);
  return { perHour: amount, total: (amount * lifetimeMs) / 3_600_000, unknown: others.reduce((sum, { count }) => sum + count, 0) };
}
