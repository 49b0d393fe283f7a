import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@paceline/api';
import { errorCatalogue, isPacelineError, PacelineError } from '@paceline/model';
import { isAlive, readEngineFile, type EngineRecord } from './engine-file.ts';
import { lostTheRace, startEngine, type EngineArguments, type EngineProcess } from './engine-process.ts';

export interface EngineWanted extends EngineArguments {
  token: string;
  /** How long an engine may take to start, in milliseconds. @default 30000 */
  patienceMs?: number;
}

const pollMs = 15;
const probeMs = 2000;
/** An engine that is about to end holds the store a moment longer than its file is there. */
const rivalMs = 250;
/** A process that does not answer for so long may be another one that got the number of a dead engine. */
const doubtMs = 1500;

/**
 * Finds the engine of a state directory, or starts it. When several processes do so at once, one engine stays and all of them
 * get that one.
 * @throws PACELINE_UNREACHABLE when the engine does not start
 */
export async function ensureEngine(wanted: EngineWanted): Promise<EngineRecord> {
  const { state, token, patienceMs = 30_000 } = wanted;
  const begin = performance.now();
  const deadline = begin + patienceMs;
  let started: EngineProcess | undefined;
  let startAgainAt = 0;
  let rivals = 0;
  while (performance.now() < deadline) {
    const record = await readEngineFile(state);
    const alive = record !== undefined && isAlive(record.pid);
    if (alive && (await answers(record, token))) return record;
    const exit = started?.exitCode();
    if (started !== undefined && exit !== undefined) {
      if (exit !== lostTheRace) throw await cannotStart(started, exit);
      started = undefined;
      startAgainAt = performance.now() + rivalMs * 2 ** rivals++;
    }
    const free = !alive || performance.now() > begin + doubtMs;
    if (started === undefined && free && performance.now() >= startAgainAt) started = await startEngine(wanted);
    await pause(pollMs);
  }
  throw new PacelineError('PACELINE_UNREACHABLE', `The engine of ${state} did not answer within ${patienceMs / 1000} s`, {
    hint: `Its log is ${state}/engine.log. If another \`paceline server\` uses this state directory, name it with --server.`,
  });
}

/** Waits until an engine that was told to stop is gone. */
export async function engineGone(state: string, pid: number, patienceMs = 20_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (isAlive(pid) && (await readEngineFile(state))?.pid === pid) {
    if (performance.now() > deadline) throw new PacelineError('PACELINE_TIMEOUT', `The engine (process ${pid}) does not stop`);
    await pause(pollMs);
  }
}

/** Another program may listen at a dead engine's address; it does not know the token of this one. */
async function answers({ url }: EngineRecord, token: string): Promise<boolean> {
  try {
    await createClient({ url, token, timeoutMs: probeMs }).info();
    return true;
  } catch (error) {
    if (isPacelineError(error)) return false;
    throw error;
  }
}

async function cannotStart(started: EngineProcess, exit: number | null): Promise<PacelineError> {
  // An engine that refuses its clouds or options is the user's to mend, not the network's.
  const code = exit === errorCatalogue.PACELINE_REQUEST_INVALID.exit ? 'PACELINE_REQUEST_INVALID' : 'PACELINE_UNREACHABLE';
  return new PacelineError(code, `The engine did not start (exit ${exit ?? 'by a signal'}). It said:\n${await started.said()}`);
}
