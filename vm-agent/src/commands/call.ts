import type { Clock } from '../clock.ts';
import type { OpsQueue } from '../link/ops.ts';
import type { Waits } from '../link/waits.ts';
import type { Masker } from '../output/mask.ts';
import type { NotYet, Reply } from './reply.ts';

/** A command as it was called. The same call comes again until it has its answer, with the deadline of the first time. */
export interface CommandCall {
  name: string;
  argv: string[];
  /** Its process. */
  pid: number;
  /** Milliseconds since 1970, 0 for none; undefined the first time. */
  deadline: number | undefined;
  /** The script that calls sees no abort. */
  ignoreAbort: boolean;
  /** Where relative paths begin. */
  cwd: string;
  /** What was written to the command's standard input, if it wants to know. */
  stdin: string | undefined;
}

/** What commands may use. */
export interface CommandBench {
  instance: string;
  clock: Clock;
  ops: Pick<OpsQueue, 'send'>;
  waits: Pick<Waits, 'wait'>;
  /** Learns of secrets that come by: they must not be shown. */
  masker: Pick<Masker, 'add'>;
}

export type CommandRun = (call: CommandCall, bench: CommandBench) => Promise<Reply | NotYet>;
