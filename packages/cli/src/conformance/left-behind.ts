import { endAllOf } from '@paceline/engine/conformance';
import type { Connector } from '@paceline/engine/connector';
import { toError } from '@paceline/model';
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
  shell: Shell;
}

/** Ends what earlier tests of a cloud have left that were killed. What cannot be ended is told, and tried again by the next test. */
export async function endLeftBehind({ name, connector, account, journal, patienceMs, shell }: LeftBehind): Promise<void> {
  for (const { engine, account: theirs } of journal.left(name)) {
    if (theirs !== account) {
      say(
        shell,
        `Machines of ${engine} may be in ${theirs ?? 'no account'}; the credentials of ${name} lead to ${account ?? 'no account'}.`,
      );
      continue;
    }
    try {
      const ended = await endAllOf(connector, engine, { patienceMs, settleMs: connector.capabilities.listConsistencyMs });
      journal.end(engine);
      if (ended.length > 0) say(shell, `Ended what an earlier test had left: ${ended.join(', ')}`);
    } catch (error) {
      say(shell, `What an earlier test has left cannot be ended: ${toError(error).message}`);
    }
  }
}

/** Where a connector's credential leads; undefined where there are no accounts, or when it does not say. */
export async function accountOf(connector: Connector): Promise<string | undefined> {
  const context = { signal: AbortSignal.timeout(accountMs), now: Date.now, log: { info: () => undefined, warn: () => undefined } };
  return connector.account?.(context).catch(() => undefined);
}
