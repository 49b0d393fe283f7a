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
 */
export async function* runConformance(subject: ConformanceSubject, only?: (id: string) => boolean): AsyncGenerator<CheckResult> {
  for (const check of checks) {
    const { id, title } = check;
    if (only?.(id) === false) continue;
    const why = check.skipped?.(subject);
    if (why !== undefined) {
      yield { id, title, outcome: 'skipped', why, ms: 0 };
      continue;
    }
    const begun = Date.now();
    const limitMs = subject.patienceMs * (check.patience ?? 3);
    try {
      await within(limitMs, runCheck(check, subject));
      yield { id, title, outcome: 'passed', ms: Date.now() - begun };
    } catch (error) {
      yield { id, title, outcome: 'failed', why: error instanceof Error ? error.message : String(error), ms: Date.now() - begun };
    }
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it has taken longer than ${ms} ms`)), ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
