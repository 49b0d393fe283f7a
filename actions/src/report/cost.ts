import type { EventView, RunDetail } from '@paceline/api';
import { duration } from '@paceline/door';
import { machineTimes, type MachineTime } from './machine-time.ts';
import { plain } from './markdown.ts';

type Run = Pick<RunDetail, 'nodes' | 'instances'>;

const hourMs = 3_600_000;

/** How many machines there were, for how long, and what that has cost. @param now in milliseconds since the epoch */
export function costLine(run: Run, events: readonly EventView[], now: number): string {
  const machines = machineTimes(events, now);
  const ms = machines.reduce((sum, one) => sum + one.ms, 0);
  const cost = machines.length === 0 ? '' : ` Estimated cost: ${plain(costOf(machines, run))}.`;
  return `${machines.length} ${machines.length === 1 ? 'machine' : 'machines'}, ${duration(ms)} of machine time.${cost}`;
}

/** In words for people: what clouds do not say is unknown, and not for nothing. */
function costOf(machines: readonly MachineTime[], run: Run): string {
  const spent = new Map<string, number>();
  let unknown = 0;
  for (const { instance: name, ms } of machines) {
    const price = priceOf(name, run);
    if (price === undefined) unknown += 1;
    else spent.set(price.currency, (spent.get(price.currency) ?? 0) + (price.amount * ms) / hourMs);
  }
  const amounts = [...spent].map(([currency, amount]) => `${Number(amount.toFixed(4))} ${currency}`);
  if (unknown > 0) amounts.push(spent.size === 0 ? 'unknown' : `${unknown} ${unknown === 1 ? 'machine' : 'machines'} of unknown price`);
  return amounts.join(' and ');
}

/** For an hour. Of what was scaled away nobody tells the cloud any more: it is known where there is one only. */
function priceOf(machine: string, { nodes, instances }: Run): { amount: number; currency: string } | undefined {
  const { prices = {} } = nodes.find(({ name }) => name === machine.replace(/\.\d+$/, '')) ?? {};
  const [only, ...others] = Object.keys(prices);
  const cloud = instances.find(({ name }) => name === machine)?.cloud ?? (others.length === 0 ? only : undefined);
  return cloud === undefined ? undefined : prices[cloud];
}
