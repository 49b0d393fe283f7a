import type { InstanceView, RunDetail } from '@paceline/api';

/** What an instance looks like at one glance. */
export type Look = 'waiting' | 'starting' | 'working' | 'blocked' | 'complete' | 'failed' | 'gone';

export function lookOf({ abort, fault, dropped, stage, blockedIn, complete }: InstanceView): Look {
  if (abort !== null || fault !== null || dropped) return 'failed';
  if (stage === 'gone' || stage === 'leaving') return 'gone';
  if (stage === 'wanted') return 'waiting';
  if (stage === 'launching' || stage === 'booting') return 'starting';
  if (complete) return 'complete';
  return blockedIn.length > 0 ? 'blocked' : 'working';
}

/** In words, for those who see no colours. */
export const lookWords: Record<Look, string> = {
  waiting: 'waiting',
  starting: 'starting',
  working: 'working',
  blocked: 'blocked in a get',
  complete: 'complete',
  failed: 'failed',
  gone: 'gone',
};

/** How many instances look how, most first, as `998 complete, 2 failed`; `no machines` of none. */
export function summaryOf(instances: readonly InstanceView[]): string {
  if (instances.length === 0) return 'no machines';
  const counts = new Map<Look, number>();
  for (const instance of instances) counts.set(lookOf(instance), (counts.get(lookOf(instance)) ?? 0) + 1);
  return [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([look, count]) => `${count} ${lookWords[look]}`)
    .join(', ');
}

/** The nodes in columns: each behind all that it needs; a cycle is broken where it closes. */
export function columnsOf(nodes: RunDetail['nodes']): RunDetail['nodes'][] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const depths = new Map<string, number>();
  const depthOf = (name: string, above: readonly string[]): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const needs = (byName.get(name)?.needs ?? []).filter((need) => byName.has(need) && !above.includes(need));
    const depth = Math.max(0, ...needs.map((need) => depthOf(need, [...above, name]) + 1));
    depths.set(name, depth);
    return depth;
  };
  const columns: RunDetail['nodes'][] = [];
  for (const node of nodes) (columns[depthOf(node.name, [node.name])] ??= []).push(node);
  return Array.from(columns, (column) => column ?? []).filter((column) => column.length > 0);
}
