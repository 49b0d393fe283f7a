import type { EventView, InstanceView } from '@paceline/api';
import { duration } from '@paceline/door';
import { machineTimes, type MachineTime } from './machine-time.ts';
import { plain } from './markdown.ts';

/** What one machine costs for an hour, by its node and its cloud. What is not there is not known. */
export type Prices = Record<string, Record<string, { amount: number; currency: string }>>;

type Placed = Pick<InstanceView, 'name' | 'node' | 'cloud'>;

const hourMs = 3_600_000;

/** How many machines there were, for how long, and what that has cost. @param now in milliseconds since the epoch */
export function costLine(events: readonly EventView[], instances: readonly Placed[], prices: Prices, now: number): string {
  const machines = machineTimes(events, now);
  const ms = machines.reduce((sum, one) => sum + one.ms, 0);
  const cost = machines.length === 0 ? '' : ` Estimated cost: ${plain(costOf(machines, instances, prices))}.`;
  return `${machines.length} ${machines.length === 1 ? 'machine' : 'machines'}, ${duration(ms)} of machine time.${cost}`;
}

/** In words for people: what clouds do not say is unknown, and not for nothing. */
function costOf(machines: readonly MachineTime[], instances: readonly Placed[], prices: Prices): string {
  const spent = new Map<string, number>();
  let unknown = 0;
  for (const { instance: name, ms } of machines) {
    const instance = instances.find((one) => one.name === name);
    const price = instance && prices[instance.node]?.[instance.cloud];
    if (price === undefined) unknown += 1;
    else spent.set(price.currency, (spent.get(price.currency) ?? 0) + (price.amount * ms) / hourMs);
  }
  const amounts = [...spent].map(([currency, amount]) => `${Number(amount.toFixed(4))} ${currency}`);
  if (unknown > 0) amounts.push(spent.size === 0 ? 'unknown' : `${unknown} ${unknown === 1 ? 'machine' : 'machines'} of unknown price`);
  return amounts.join(' and ');
}
