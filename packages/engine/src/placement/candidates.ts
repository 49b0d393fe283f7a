import type { PlannedNode } from '@paceline/model';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';

/** The cloud that an instance is tried on first. @param index from 1 */
export function firstCloud({ cloud, shares = [] }: Pick<PlannedNode, 'cloud' | 'shares'>, index: number): string {
  const all = shares.reduce((total, { count }) => total + count, 0);
  let place = all === 0 ? 0 : (index - 1) % all;
  for (const share of shares) {
    if (place < share.count) return share.cloud;
    place -= share.count;
  }
  return cloud;
}

/** All clouds of an instance, in the order in which they are tried. Who is to have a share of a cloud goes nowhere else. */
function candidates(run: Run, { node, index }: Instance): string[] {
  const planned = run.plan.nodes[node];
  if (planned === undefined) return [];
  // What was built is there on one cloud only.
  const others = planned.shares === undefined && planned.built === undefined ? (planned.elsewhere ?? []) : [];
  return [firstCloud(planned, index), ...others];
}

/** Where an instance goes when its cloud has no room; undefined when there is nowhere left. */
export function nextCloud(run: Run, instance: Instance): string | undefined {
  const all = candidates(run, instance);
  const at = all.indexOf(instance.machine.cloud);
  return at < 0 ? undefined : all[at + 1];
}

/** The clouds that had no room for an instance: something of the run may be left there. */
export function cloudsLeft(run: Run, instance: Instance): string[] {
  const all = candidates(run, instance);
  return all.slice(0, Math.max(0, all.indexOf(instance.machine.cloud)));
}
