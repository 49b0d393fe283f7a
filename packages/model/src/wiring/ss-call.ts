import { callOptions, type CallOptions } from './call-options.ts';
import { type Call, type CommandName, commandNames, type Escape } from './flow.ts';
import type { Argument } from './words.ts';

/** What is known of the place where a command is called. */
export interface CallPlace extends Pick<Call, 'conditional' | 'tolerant' | 'possible' | 'range'> {
  /** Every run that comes to the end of the script comes by here: no branch, no function, no loop, no job in the background. */
  straight: boolean;
  /** The script ends when the command fails. */
  fatal: boolean;
}

/** What a command line calls; `key: undefined` when that is known only at run time, or when there is none (`idle`). */
export type SsCall = { call: Call } | { call: undefined; command: CommandName; idle: boolean };

/** SlipStream's default, in seconds. Who writes less than that reckons with a failure. */
const defaultTimeout = 60;

/** Reads the words of a command line whose name is that of an `ss-*` command. */
export function readCall(command: CommandName, words: readonly Argument[], place: CallPlace): SsCall {
  const options = callOptions(command, words.slice(1));
  const { operands, flags, unsure } = options;
  const [first, second] = operands;
  const target = command === 'ss-get-all' ? second : first;
  if (flags.has('help') || (target === undefined && !unsure)) return { call: undefined, command, idle: true };
  const key = target?.text;
  const node = command === 'ss-get-all' ? first?.text : undefined;
  if (key === undefined || unsure || (command === 'ss-get-all' && node === undefined)) return { call: undefined, command, idle: false };
  const { conditional, tolerant, possible, range } = place;
  const blocking = command !== 'ss-set' && command !== 'ss-random' && !flags.has('noblock');
  const bound = blocking && !conditional && !tolerant && !possible && place.straight;
  const escape = bound ? escapeOf(command, options, place.fatal) : 'other';
  return { call: { command, key, ...(node === undefined ? {} : { node }), blocking, conditional, tolerant, possible, escape, range } };
}

/** The name of an `ss-*` command that touches parameters. */
export function commandName(name: string | undefined): CommandName | undefined {
  return commandNames.find((one) => one === name);
}

function escapeOf(command: CommandName, { flags, values }: CallOptions, fatal: boolean): Escape {
  const timeout = flags.has('timeout') ? Number(values.get('timeout') || 'unknown') : defaultTimeout;
  if (timeout === 0) return 'none';
  if (!(timeout >= defaultTimeout)) return 'other';
  // When its time is over, `ss-get-all` prints what there is, and has not failed unless it was to compare the values.
  const fails = command !== 'ss-get-all' || Boolean(values.get('value'));
  return fatal && fails ? 'none' : 'timeout';
}
