import { toError } from '@paceline/model';
import { altering } from './altering.ts';
import { Bench } from './bench.ts';
import type { Check } from './check.ts';
import { deadlineIn, unlessAborted } from './deadline.ts';
import { ending } from './ending.ts';
import { failing } from './failing.ts';
import { faults } from './faults.ts';
import { inside } from './inside.ts';
import { launching } from './launching.ts';
import { listing } from './listing.ts';
import { sharing } from './sharing.ts';
import type { ConformanceSubject } from './subject.ts';

/** All that a connector has to do. */
export const checks: readonly Check[] = [...launching, ...sharing, ...listing, ...ending, ...altering, ...inside, ...failing, ...faults];

/** How long a check that nobody waits for may go on before what it has made is ended, in milliseconds. */
const letGoMs = 10_000;

/**
 * Runs one check, and ends what it has made.
 * @param signal aborted when nobody waits for the check any more; what it has made is ended all the same
 * @throws what the check or the clean-up threw
 */
export async function runCheck(
  check: Check,
  subject: ConformanceSubject,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const bench = new Bench(subject, signal);
  const work = check.run(bench);
  let failure: { error: unknown } | undefined;
  try {
    await unlessAborted(signal, work);
  } catch (error) {
    failure = { error };
    using last = deadlineIn(letGoMs, 'it has gone on');
    await unlessAborted(last.signal, work).catch(() => {});
  }
  // Of a launch that has failed, the cloud may show machines later.
  const settleMs = failure === undefined ? 0 : bench.connector.capabilities.listConsistencyMs;
  try {
    await bench.close(settleMs);
  } catch (cause) {
    // What went wrong in the check comes first; what it has left costs money.
    const why = failure === undefined ? '' : `${toError(failure.error).message}; `;
    throw new Error(`${why}what it has made could not be ended: ${toError(cause).message}`, { cause: failure?.error ?? cause });
  }
  if (failure !== undefined) throw failure.error;
}

/** The part of a test framework that is needed; `test` of vitest is one. */
export interface TestFunction {
  (name: string, work: (context: { skip: (why: string) => unknown }) => Promise<void>, limitMs: number): unknown;
}

export interface ConformanceOptions {
  /** Why nothing can be checked here, such as a server that is missing: every check is then skipped with this reason. */
  unavailable?: string | undefined;
  /** Why one of the checks is not made here, such as the time that it takes. @default all are made */
  except?(check: Check): string | undefined;
}

/**
 * Makes a test of each check.
 *
 * @param test of the test framework
 * @param open the subject, opened when the first check runs
 */
export function defineConformance(
  test: TestFunction,
  open: () => ConformanceSubject | Promise<ConformanceSubject>,
  options: ConformanceOptions & { limitMs: number },
): void {
  let opened: Promise<ConformanceSubject> | undefined;
  for (const check of checks) {
    test(
      `${check.id}: ${check.title}`,
      async ({ skip }) => {
        const left = options.unavailable ?? options.except?.(check);
        if (left !== undefined) return void skip(left);
        const subject = await (opened ??= Promise.resolve(open()));
        const why = check.skipped?.(subject);
        if (why !== undefined) return void skip(why);
        await runCheck(check, subject);
      },
      options.limitMs * (check.patience ?? 3),
    );
  }
}
