import { formatMoney } from '@paceline/model';
import { budgetEnd } from '../placement/cost.ts';
import type { Change } from '../run/change.ts';
import { hasEnded, type Outcome, type Run } from '../run/run.ts';
import { abortChanges } from './abort.ts';
import { firstWaitedFor, waitedFor } from './barrier.ts';
import { bootDeadline, bootLimit, stateDeadline } from './deadlines.ts';
import { enter } from './enter.ts';
import { isImageMissing, keepsRunning } from './policy.ts';
import { dropOrAbort } from './provisioning.ts';
import { scalingChanges, tellLate } from './scale.ts';

/**
 * What comes next by the passing of barriers and of time: the changes of one step, none when the run has to wait.
 * Call it until it yields nothing.
 */
export function advance(run: Run, now: number): Change[] {
  if (hasEnded(run)) return [];
  const { outcome, state, expiresAt } = run.facts;
  if (outcome === null && now >= expiresAt) return endOf('lifetime', formatDuration(run.plan.lifetimeMs), run, now);
  if (outcome === null && now >= budgetEnd(run)) return endOf('budget', budgetsOf(run), run, now);
  if (outcome !== null && state !== 'Finalizing') return enter('Finalizing', run, now);
  const scaled = scalingChanges(run, now);
  if (scaled.length > 0) return scaled;
  if (firstWaitedFor(run) === undefined) return pastBarrier(run, now);
  return state === 'Finalizing' ? [] : overdue(run, now);
}

function pastBarrier(run: Run, now: number): Change[] {
  switch (run.facts.state) {
    case 'Initializing':
      return enter('Provisioning', run, now);
    case 'Provisioning':
      return enter('Executing', run, now);
    case 'Executing':
      return enter('SendingReports', run, now);
    case 'SendingReports':
      return [...enter('Ready', run, now), ...(keepsRunning(run) ? [] : end(run, natural(run), 'the keepRunning policy', now))];
    case 'Ready':
      return run.plan.build !== undefined && !keepsRunning(run) ? end(run, natural(run), 'the end of the build', now) : tellLate(run, now);
    case 'Finalizing': {
      const { outcome, swept } = run.facts;
      return outcome === null || !swept ? [] : [...enter(outcome, run, now), { kind: 'run', patch: { endedAt: now } }];
    }
    default:
      return [];
  }
}

/** A state has lasted too long: the abort flag goes up, and when instances do not even heed that, the run goes on without them. */
function overdue(run: Run, now: number): Change[] {
  const { state, abort } = run.facts;
  const deadline = stateDeadline(run);
  if (deadline !== undefined && now >= deadline) {
    const names = waitedFor(run).map((instance) => instance.name);
    const waited = `waiting for ${listed(names)}`;
    if (abort === null) {
      const minutes = formatDuration(run.plan.timeoutMs);
      return abortChanges(run, 'ss:abort', `The run has timed out: ${minutes} in ${state}, ${waited}`, now);
    }
    const message = `The run goes on without waiting any longer for ${listed(names)} in ${state}`;
    return [
      event({ type: 'instance.notice', severity: 'warning', message, data: { instance: names[0] ?? '' } }, now),
      ...pastBarrier(run, now),
    ];
  }
  if (state !== 'Provisioning' || abort !== null) return [];
  for (const instance of run.instances.values()) {
    const boot = bootDeadline(run, instance);
    if (boot === undefined || now < boot) continue;
    const { fault } = instance.machine;
    const late = `${instance.name} did not call home within ${formatDuration(bootLimit(run))} of its launch`;
    return dropOrAbort(run, instance, fault === null ? late : `${late}: ${fault}`, now);
  }
  return [];
}

/** What the run was given is used up. */
function endOf(what: 'lifetime' | 'budget', given: string, run: Run, now: number): Change[] {
  if (isWhole(run)) return end(run, natural(run), `the end of its ${what}`, now);
  const reason = `The run has reached the end of its ${what} (${given}) in ${run.facts.state}`;
  return [...abortChanges(run, 'ss:abort', reason, now), ...end(run, 'Aborted', `the end of its ${what}`, now)];
}

function budgetsOf({ plan: { budgets = [] } }: Run): string {
  return budgets.flatMap(({ total, currency }) => (total === undefined ? [] : [formatMoney(total, currency)])).join(', ');
}

/** Decides that the machines go. */
export function end(run: Run, outcome: Outcome, by: string, now: number): Change[] {
  if (run.facts.outcome !== null || hasEnded(run)) return [];
  return [
    { kind: 'run', patch: { outcome } },
    event({ type: 'run.ending', severity: 'info', message: `The run ends, decided by ${by}`, data: { outcome, by } }, now),
  ];
}

/** What a wish to end the run means: a Ready one ends as it is, one that is still on its way is cancelled. */
export function terminate(run: Run, by: string, now: number): Change[] {
  return end(run, isWhole(run) ? natural(run) : 'Cancelled', by, now);
}

/** It is Ready and, when it is there to make an image, has nothing more to do. */
function isWhole(run: Run): boolean {
  return run.facts.state === 'Ready' && !isImageMissing(run);
}

/** How a run that has got Ready ends. */
function natural(run: Run): Outcome {
  return run.facts.abort === null ? 'Done' : 'Aborted';
}

export function event(body: Extract<Change, { kind: 'event' }>['body'], at: number): Change {
  return { kind: 'event', at, body };
}

function listed(names: string[]): string {
  if (names.length <= 5) return names.join(', ');
  return `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

function formatDuration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return `${Math.round(ms / 100) / 10} s`;
}
