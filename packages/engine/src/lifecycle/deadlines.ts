import { budgetEnd } from '../placement/cost.ts';
import type { Instance } from '../run/instance.ts';
import { hasJoined } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';

/**
 * How long instances may take to complete a state once the abort flag is up: their scripts get 5 s to stop, the rest is for
 * links that are down for a moment.
 */
export const abortGraceMs = 60_000;
/** Evidence comes first: however short a run's timeout, stopping scripts and sending reports get this long. */
const shortestGraceMs = 15_000;
/** How long the reports of an aborted run may take. */
const abortedReportsMs = 10 * 60_000;
/** How long a machine may take from its launch to its first call home. */
export const bootTimeoutMs = 10 * 60_000;
/** However long that is ago, when there was nobody whom it could call. */
const callAgainMs = 2 * 60_000;

/** When the present state has lasted too long; undefined in states that may last. */
export function stateDeadline(run: Run): number | undefined {
  const { state, stateSince, abort } = run.facts;
  switch (state) {
    case 'Provisioning':
    case 'Executing':
      if (abort === null) return stateSince + run.plan.timeoutMs;
      // Whoever notices late that the time is over still leaves time for the evidence.
      return Math.max(
        Math.min(Math.max(stateSince, abort.at), stateSince + run.plan.timeoutMs) + abortGrace(run),
        abort.at + shortestGraceMs,
      );
    case 'SendingReports': {
      const longest = abort === null ? run.plan.timeoutMs : Math.min(run.plan.timeoutMs, abortedReportsMs);
      return stateSince + Math.max(longest, shortestGraceMs);
    }
    default:
      return undefined;
  }
}

/** Whether a state whose time is bounded has used it up: an abort then stays, or it could put off the end for ever. */
export function isTimeOver(run: Run, now: number): boolean {
  const { state, stateSince } = run.facts;
  return (state === 'Provisioning' || state === 'Executing') && now >= stateSince + run.plan.timeoutMs;
}

export function abortGrace(run: Run): number {
  return Math.max(shortestGraceMs, Math.min(abortGraceMs, run.plan.timeoutMs));
}

/** When a machine that has not joined counts as dead; undefined when nothing is waited for. */
export function bootDeadline(run: Run, instance: Instance): number | undefined {
  const { status, launchedAt } = instance.machine;
  if (status !== 'launched' || launchedAt === null || hasJoined(instance) || instance.dropped) return undefined;
  const limit = bootLimit(run);
  return Math.max(launchedAt + limit, run.drivenSince + Math.min(limit, callAgainMs));
}

/** How long machines of a run may take from their launch to their first call home. */
export function bootLimit({ plan }: Run): number {
  return Math.min(bootTimeoutMs, plan.timeoutMs);
}

/** The next moment at which time alone changes something in the run. */
export function nextDeadline(run: Run): number {
  if (hasEnded(run)) return Number.POSITIVE_INFINITY;
  let next = stateDeadline(run) ?? Number.POSITIVE_INFINITY;
  if (run.facts.outcome === null) next = Math.min(next, run.facts.expiresAt, budgetEnd(run));
  if (run.facts.state !== 'Provisioning') return next;
  for (const instance of run.instances.values()) next = Math.min(next, bootDeadline(run, instance) ?? next);
  return next;
}
