import { rareEvents } from '../checks/coverage.ts';
import { faultKinds } from '../faults/kinds.ts';
import type { Outcome } from '../simulate.ts';

/** What many simulations add up to; plain data, so that threads can tell each other. */
export interface Tally {
  seeds: number;
  deployments: number;
  events: number;
  /** Milliseconds of virtual time. */
  elapsed: number;
  faults: Record<string, number>;
  states: Record<string, number>;
  ends: Record<string, number>;
  seen: Record<string, number>;
}

export function emptyTally(): Tally {
  return { seeds: 0, deployments: 0, events: 0, elapsed: 0, faults: {}, states: {}, ends: {}, seen: {} };
}

export function tallyOf({ runs, events, elapsed, faults, states, ends, seen }: Outcome): Tally {
  return {
    seeds: 1,
    deployments: runs,
    events,
    elapsed,
    faults: Object.fromEntries(faults),
    states: Object.fromEntries(states),
    ends: Object.fromEntries(ends),
    seen: Object.fromEntries(seen),
  };
}

export function add(to: Tally, other: Tally): void {
  to.seeds += other.seeds;
  to.deployments += other.deployments;
  to.events += other.events;
  to.elapsed += other.elapsed;
  for (const part of ['faults', 'states', 'ends', 'seen'] as const) {
    for (const [name, count] of Object.entries(other[part])) to[part][name] = (to[part][name] ?? 0) + count;
  }
}

/** @param seconds of real time */
export function summary(tally: Tally, seconds: number): string {
  const { seeds, deployments, events, elapsed } = tally;
  return [
    `${count(seeds)} schedules with ${count(deployments)} deployments and ${count(events)} events, ${Math.round(elapsed / 3_600_000)} hours of virtual time, in ${Math.round(seconds)} s:`,
    `${(seeds / seconds).toFixed(1)} schedules a second, ${count(Math.round((deployments / seconds) * 60))} deployments a minute`,
    '',
    table('Faults', faultKinds, tally.faults),
    table('States', Object.keys(tally.states), tally.states),
    table('Ends', Object.keys(tally.ends), tally.ends),
    table('What is rare', rareEvents, tally.seen),
  ].join('\n');
}

/** What should have come about and has not. */
export function neverSeen({ seen, faults }: Tally): string[] {
  return [...rareEvents.filter((event) => seen[event] === undefined), ...faultKinds.filter((kind) => faults[kind] === undefined)];
}

function table(title: string, names: readonly string[], counts: Record<string, number>): string {
  const width = Math.max(...names.map((name) => name.length));
  return [title, ...names.map((name) => `  ${name.padEnd(width)} ${count(counts[name] ?? 0).padStart(10)}`)].join('\n');
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
