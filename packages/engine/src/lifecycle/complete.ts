import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';

/** The instance has done what the present state asks of it. Says nothing when it had said so before, or speaks of another state. */
export function completeState(run: Run, instance: Instance, seq: number, now: number): Change[] {
  if (seq !== run.facts.seq || instance.completed >= seq) return [];
  return [
    { kind: 'instance', name: instance.name, patch: { completed: seq, step: null } },
    {
      kind: 'event',
      at: now,
      body: {
        type: 'instance.completed',
        severity: 'info',
        message: `${instance.name} has completed ${run.facts.state}`,
        data: { instance: instance.name, seq },
      },
    },
  ];
}
