import type { Change } from '../run/change.ts';
import { isPacelineError, PacelineError } from '@paceline/model';
import type { Run } from '../run/run.ts';
import { shortened } from '../run/shortened.ts';
import { isTimeOver } from './deadlines.ts';

/** Of a reason, in characters: it is stored with every change of the run, and told to every machine. */
const maxReason = 8192;

/**
 * Raises the abort flag of a node and of the run. The first reason wins; later ones stay on their own node only.
 * @param source the parameter that was set: `apache.1:abort`, or `ss:abort`
 * @param said the reason, of which the first 8192 characters are kept
 */
export function abortChanges(run: Run, source: string, said: string, now: number): Change[] {
  const reason = shortened(said, maxReason);
  const changes: Change[] = [];
  const name = source.slice(0, source.lastIndexOf(':'));
  const instance = run.instances.get(name);
  if (instance !== undefined && instance.abort === null) {
    changes.push({ kind: 'instance', name, patch: { abort: reason } });
  }
  if (run.facts.abort !== null) return changes;
  changes.push({
    kind: 'run',
    patch: {
      abort: { reason, source, at: now },
      recovery: run.facts.recovery || run.facts.state === 'Provisioning' || run.facts.state === 'Initializing',
    },
  });
  changes.push({
    kind: 'event',
    at: now,
    body: { type: 'run.abort', severity: 'error', message: `Abort from '${name}', message: ${reason}`, data: { reason, source } },
  });
  return changes;
}

/**
 * Takes the flag of the run, and of the node that asks, down again.
 * @throws PACELINE_CONFLICT when the run has timed out
 */
export function cancelAbortChanges(run: Run, source: string, now: number): Change[] {
  if (run.facts.abort !== null && isTimeOver(run, now)) {
    throw new PacelineError('PACELINE_CONFLICT', `The abort cannot be taken back: the time for ${run.facts.state} is over`, {
      hint: 'Start the run again, with a longer `timeout`.',
    });
  }
  const name = source.slice(0, source.lastIndexOf(':'));
  const changes: Change[] = [];
  const own = run.instances.get(name)?.abort ?? null;
  if (own !== null) changes.push({ kind: 'instance', name, patch: { abort: null } });
  if (run.facts.abort === null) return changes;
  changes.push({ kind: 'run', patch: { abort: null, recovery: false } });
  changes.push({
    kind: 'event',
    at: now,
    body: { type: 'run.abort-cancelled', severity: 'info', message: `Reset abort from '${name}'`, data: { source } },
  });
  return changes;
}

/** SlipStream's rule: a script that names an unknown key has a mistake in it, and ends the run. Other errors mean no change. */
export function abortOnUnknownKey(run: Run, instance: string, error: unknown, now: number): Change[] {
  if (!isPacelineError(error) || error.code !== 'PACELINE_PARAMETER_UNKNOWN' || run.facts.abort !== null) return [];
  return abortChanges(run, `${instance}:abort`, error.message, now);
}

/** Parameters are neither read nor set while the abort flag is up. @throws PACELINE_RUN_ABORTED */
export function refuseWhenAborted(run: Run, ignoreAbort: boolean): void {
  if (run.facts.abort === null || ignoreAbort) return;
  throw new PacelineError('PACELINE_RUN_ABORTED', `Abort flag raised! ${run.facts.abort.reason}`);
}
