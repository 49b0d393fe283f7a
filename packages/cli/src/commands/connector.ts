import { resolve } from 'node:path';
import { harmlessLine } from '@paceline/door';
import { runConformance, type CheckResult, type ConformanceSubject } from '@paceline/engine/conformance';
import { loadConnector, openCloud, readClouds } from '@paceline/clouds';
import { PacelineError } from '@paceline/model';
import { launchBudget } from '../conformance/launch-budget.ts';
import { accountOf, endLeftBehind } from '../conformance/left-behind.ts';
import { openedLater } from '../conformance/opened-later.ts';
import { TestJournal } from '../conformance/test-journal.ts';
import { stateLocation } from '../embedded/state-location.ts';
import { exitCodes } from '../run/exit-code.ts';
import { listenForInterrupts } from '../run/interrupts.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { wholeNumber } from '../whole-number.ts';

export interface ConnectorOptions extends GlobalOptions {
  clouds?: string;
  image?: string;
  unknownImage?: string;
  host?: string;
  endOfLife?: 'connector' | 'machine';
  only?: string;
  patience: string;
  live?: boolean;
  budget: string;
  json?: boolean;
}

/** `paceline connector test CLOUD`: whether its connector does what all have to do. */
export async function connectorCommand([action, name = '']: string[], options: ConnectorOptions, shell: Shell): Promise<number> {
  if (action !== 'test') throw new PacelineError('PACELINE_REQUEST_INVALID', `There is no action ${action}`, { hint: 'There is: test.' });
  const journal = new TestJournal(stateLocation(options, shell));
  const stop = new AbortController();
  const interrupts = listenForInterrupts(
    () => {
      say(shell, 'What the check has made is ended. Press Ctrl-C again to leave at once.');
      stop.abort(new Error('it was interrupted'));
    },
    () => {
      tellLeft(journal, name, shell);
      process.exit(exitCodes.cancelled);
    },
  );
  try {
    const code = await test(name, options, journal, stop.signal, shell);
    tellLeft(journal, name, shell);
    return stop.signal.aborted ? exitCodes.cancelled : code;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    tellLeft(journal, name, shell);
    return exitCodes.cancelled;
  } finally {
    interrupts.stop();
  }
}

async function test(name: string, options: ConnectorOptions, journal: TestJournal, signal: AbortSignal, shell: Shell): Promise<number> {
  const subject = await subjectOf(name, options, journal, signal, shell);
  const only = options.only?.split(',');
  // Machines that are processes of this host would power off the host.
  const wanted = (id: string): boolean =>
    only === undefined ? id !== 'end-of-life' || options.endOfLife !== undefined : only.includes(id);
  const results: CheckResult[] = [];
  for await (const result of runConformance(subject, wanted, signal)) {
    results.push(result);
    shell.stdout.write(options.json === true ? `${JSON.stringify({ cloud: name, ...result })}\n` : line(result));
  }
  const count = (outcome: CheckResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  if (options.json !== true) say(shell, `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  return count('failed') === 0 ? 0 : 1;
}

/** What it was not seen to end, if only because nobody waited for it. */
function tellLeft(journal: TestJournal, name: string, shell: Shell): void {
  const left = journal.left(name);
  if (left.length === 0) return;
  say(
    shell,
    `Machines of ${left.map(({ engine }) => engine).join(', ')} may still be on ${name}: the next \`paceline connector test ${name}\` ends them.`,
  );
}

function line({ id, title, outcome, why, ms }: CheckResult): string {
  const sign = { passed: '✓', failed: '✗', skipped: '–' }[outcome];
  const detail = outcome === 'passed' ? `${title} (${(ms / 1000).toFixed(1)} s)` : `${title}: ${why}`;
  return `${sign} ${id.padEnd(22)} ${harmlessLine(detail)}\n`;
}

async function subjectOf(
  name: string,
  options: ConnectorOptions,
  journal: TestJournal,
  signal: AbortSignal,
  shell: Shell,
): Promise<ConformanceSubject> {
  const file = options.clouds === undefined ? undefined : resolve(shell.cwd, options.clouds);
  const source = await readClouds(stateLocation(options, shell), file);
  const entry = source.entries.find((each) => each.name === name);
  if (entry === undefined) {
    throw new PacelineError('PACELINE_CLOUD_UNKNOWN', `There is no cloud ${name}`, {
      hint: `There are: ${source.entries.map((each) => each.name).join(', ')}. --clouds names another file.`,
    });
  }
  const { connector: first } = await openCloud(entry, source, import.meta.dirname);
  const module = await loadConnector(entry.connector, [source.folder, import.meta.dirname]);
  const patienceMs = wholeNumber('--patience', options.patience, 1, 86_400) * 1000;
  const account = await accountOf(name, first, signal);
  await endLeftBehind({ name, connector: first, account, journal, patienceMs, signal, shell });
  const isHere = first.capabilities.reach === 'host';
  if (!isHere && options.live !== true) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `The machines of ${name} may cost money`, {
      hint: `With --live they are launched, at most --budget of them (${options.budget}), and ended again.`,
    });
  }
  const budget = launchBudget(wholeNumber('--budget', options.budget, 0, 10_000));
  const host = options.host ?? (isHere ? '127.0.0.1' : undefined);
  return {
    createConnector: () => budget(openedLater(first, module.createConnector(entry.config))),
    image: options.image ?? '',
    patienceMs,
    journal: {
      begin: (engine) => journal.begin({ engine, cloud: name, account }),
      end: (engine) => journal.end(engine),
    },
    ...(host !== undefined && { host }),
    ...(options.unknownImage !== undefined && { unknownImage: options.unknownImage }),
    ...(options.endOfLife !== undefined && { endOfLife: options.endOfLife }),
  };
}
