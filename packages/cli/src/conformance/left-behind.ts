import { endAllOf, unlessAborted } from '@paceline/engine/conformance';
import type { Connector } from '@paceline/engine/connector';
import { PacelineError, toError } from '@paceline/model';
import { say, type Shell } from '../shell.ts';
import type { TestJournal } from './test-journal.ts';

/** How long a cloud is waited for that is asked where its credential leads, in milliseconds. */
const accountMs = 30_000;

export interface LeftBehind {
  /** Of the cloud. */
  name: string;
  connector: Connector;
  /** Where its credential leads. */
  account: string | undefined;
  journal: TestJournal;
  patienceMs: number;
  /** Nobody waits for it any more. */
  signal: AbortSignal;
  shell: Shell;
}

/** Ends what earlier tests of a cloud have left that were killed. What cannot be ended is told, and tried again by the next test. */
export async function endLeftBehind({ name, connector, account, journal, patienceMs, signal, shell }: LeftBehind): Promise<void> {
  for (const { engine, account: theirs } of journal.left(name)) {
    if (signal.aborted) return;
    if (theirs !== account) {
      say(
        shell,
        `Machines of ${engine} may be in ${theirs ?? 'no account'}; the credentials of ${name} lead to ${account ?? 'no account'}.`,
      );
      continue;
    }
    try {
      const ended = await endAllOf(connector, engine, { patienceMs, settleMs: connector.capabilities.listConsistencyMs, signal });
      journal.end(engine);
      if (ended.length > 0) say(shell, `Ended what an earlier test had left: ${ended.join(', ')}`);
    } catch (error) {
      say(shell, `What an earlier test has left cannot be ended: ${toError(error).message}`);
    }
  }
}

/**
 * Where the credential of a cloud leads; undefined where there are no accounts.
 * @throws PacelineError when it does not say: what was noted without it would be ended by no later test
 */
export async function accountOf(name: string, connector: Connector, signal: AbortSignal): Promise<string | undefined> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(accountMs)]);
  try {
    const context = { signal: inTime, now: Date.now, log: { info: () => undefined, warn: () => undefined } };
    return connector.account && (await unlessAborted(inTime, connector.account(context)));
  } catch (cause) {
    throw new PacelineError('PACELINE_CLOUD_FAILED', `${name} does not say where its credentials lead: ${toError(cause).message}`, {
      cause,
      hint: 'Nothing was launched: a test that is killed could not be cleaned up after. Try again.',
    });
  }
}
