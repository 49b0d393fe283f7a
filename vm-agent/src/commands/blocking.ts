import type { OpResult } from '@paceline/api/agent';
import type { Question } from '../link/waits.ts';
import type { CommandBench, CommandCall } from './call.ts';
import type { NotYet } from './reply.ts';
import { endsSoon } from './under-way.ts';

/** SlipStream's default, in seconds. */
export const defaultTimeout = 60;
/** A waiting command says so this often, in milliseconds, as SlipStream's did: output that shows the script to be alive. */
const pieceMs = 5000;
/** Past its deadline a command asks the engine for a last word this often. */
const lateMs = 1000;

export interface Blocking {
  question: Question;
  /** In seconds, 0 for ever. */
  timeout: number;
  /** For stderr, while there is nothing yet. */
  waiting: string;
}

/**
 * Wait for the answer to a question, for as long as one request of the shim lasts. An engine that is away is waited for beyond
 * the deadline: only its own word that there is no value makes a timeout.
 * @returns undefined when the time is over
 */
export async function block(
  call: CommandCall,
  { clock, waits }: CommandBench,
  { question, timeout, waiting }: Blocking,
): Promise<OpResult | NotYet | undefined> {
  const first = call.deadline === undefined;
  const deadline = call.deadline ?? (timeout === 0 ? 0 : clock.now() + timeout * 1000);
  const left = deadline === 0 ? Infinity : deadline - clock.now();
  const waited = await waits.wait(question, left <= 0 ? lateMs : Math.min(pieceMs, left), first || left <= 0);
  if (waited.result) return waited.result;
  const over = deadline !== 0 && clock.now() >= deadline;
  if (over && waited.confirmed) return undefined;
  // One with no end in sight is silent after the first time: nothing shows that it is of any use.
  return { deadline, text: first || endsSoon(deadline, clock.now()) ? waiting : '' };
}

export function isNotYet(result: OpResult | NotYet): result is NotYet {
  return 'deadline' in result;
}
