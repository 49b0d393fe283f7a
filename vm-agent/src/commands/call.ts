import type { OpResult } from '@paceline/api/agent';
import type { Clock } from '../clock.ts';
import type { OpDraft } from '../link/ops.ts';
import type { Question, Waited } from '../link/waits.ts';
import type { NotYet, Reply } from './reply.ts';

/** A command as it was called. The same call comes again until it has its answer, with the deadline of the first time. */
export interface CommandCall {
  name: string;
  argv: string[];
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
  send: (draft: OpDraft) => Promise<OpResult>;
  wait: (question: Question, ms: number, first: boolean) => Promise<Waited>;
  /** A secret has come by: it must not be shown. */
  keepSecret: (value: string) => void;
  random: (below: number) => number;
  readFile: (path: string) => Promise<string>;
}

export type CommandRun = (call: CommandCall, bench: CommandBench) => Promise<Reply | NotYet>;
