import { firstCloud } from '@paceline/model';
import { builtFor, type Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { overBudgetWith } from './cost.ts';

/** All clouds of an instance, in the order in which they are tried. */
function candidates(run: Run, instance: Instance): string[] {
  const { node, index } = instance;
  const planned = run.plan.nodes[node];
  if (planned === undefined) return [];
  // What was built is there on one cloud only.
  const others = builtFor(run.plan, instance) === undefined ? (planned.elsewhere ?? []) : [];
  return [...new Set([firstCloud(planned, index), ...others])];
}

/** Where an instance goes when its cloud has no room; undefined when there is nowhere left that the budget allows. */
export function nextCloud(run: Run, instance: Instance, now: number): string | undefined {
  return cloudsAfter(run, instance).find((cloud) => overBudgetOn(run, instance, cloud, now).length === 0);
}

/** What keeps an instance from the clouds that it might go to, as the end of a sentence; empty when there are none. */
export function whyNowhere(run: Run, instance: Instance, now: number): string {
  const dear = cloudsAfter(run, instance).flatMap((cloud) => overBudgetOn(run, instance, cloud, now).map((why) => `${cloud}: ${why}`));
  return dear.length === 0 ? '' : `; what it may cost keeps it from going to ${dear.join(', ')} [PACELINE_OVER_BUDGET]`;
}

function cloudsAfter(run: Run, instance: Instance): string[] {
  const all = candidates(run, instance);
  const at = all.indexOf(instance.machine.cloud);
  return at < 0 ? [] : all.slice(at + 1);
}

function overBudgetOn(run: Run, instance: Instance, cloud: string, now: number): string[] {
  return overBudgetWith(run, [{ node: instance.node, cloud }], now, instance);
}

/** The clouds that had no room for an instance: something of the run may be left there. */
export function cloudsLeft(run: Run, instance: Instance): string[] {
  const all = candidates(run, instance);
  return all.slice(0, Math.max(0, all.indexOf(instance.machine.cloud)));
}
