import { toError } from '@paceline/model';
import { deadlineIn } from './deadline.ts';
import { checks, runCheck } from './suite.ts';
import type { ConformanceSubject } from './subject.ts';

export interface CheckResult {
  id: string;
  title: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or what went wrong. */
  why?: string;
  ms: number;
}

/**
 * Runs the checks without a test framework, one after the other.
 * @param only checks to run, by id
 * @param signal aborted, with an error, to end: the check that is under way fails, when what it has made is ended, and no other begins
 */
export async function* runConformance(
  subject: ConformanceSubject,
  only?: (id: string) => boolean,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<CheckResult> {
  for (const check of checks) {
    const { id, title } = check;
    if (signal.aborted) return;
    if (only?.(id) === false) continue;
    const why = check.skipped?.(subject);
    if (why !== undefined) {
      yield { id, title, outcome: 'skipped', why, ms: 0 };
      continue;
    }
    const begun = Date.now();
    const limitMs = subject.patienceMs * (check.patience ?? 3);
    using late = deadlineIn(limitMs, 'it has taken');
    try {
      await runCheck(check, subject, AbortSignal.any([signal, late.signal]));
      yield { id, title, outcome: 'passed', ms: Date.now() - begun };
    } catch (error) {
      yield { id, title, outcome: 'failed', why: toError(error).message, ms: Date.now() - begun };
    }
  }
}
