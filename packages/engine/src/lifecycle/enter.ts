import type { RunState } from '@paceline/api/agent';
import type { Change } from '../run/change.ts';
import type { Run } from '../run/run.ts';

/**
 * The run gets into another state, with new work for everybody. A scaling is over when the run is ready again; the hooks that an abort
 * has skipped by then are run when it is taken back.
 */
export function enter(state: RunState, run: Run, now: number): Change[] {
  const seq = run.facts.seq + 1;
  const { recovery, scaling } = run.facts;
  const isOver = state === 'Ready' && scaling !== null;
  const isUntold = state === 'Executing' && recovery && scaling?.action === 'vm_remove';
  return [
    { kind: 'run', patch: { state, seq, stateSince: now, ...(isOver && { scaling: null }), ...(isUntold && { untold: scaling }) } },
    { kind: 'event', at: now, body: { type: 'run.state', severity: 'info', message: state, data: { state, seq } } },
  ];
}
