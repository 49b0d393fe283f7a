import { type Question, valueQuestion } from '../link/waits.ts';
import { block, defaultTimeout, isNotYet } from './blocking.ts';
import type { CommandRun } from './call.ts';
import { bare, timeoutMessage } from './get.ts';
import { qualifyKey } from './keys.ts';
import { type CommandSyntax, UsageError, parseOptions } from './options.ts';
import { failed, nothing, refused } from './reply.ts';

export const waitSyntax: CommandSyntax = {
  usage: 'ss-wait [--timeout SECONDS] [--ignore-abort] [--] <key> [<value>]',
  options: { timeout: 'number', 'ignore-abort': 'flag' },
};

/** A barrier: returns when the parameter has that value, or any if none is given. */
export const wait: CommandRun = async (call, bench) => {
  const { flags, numbers, args } = parseOptions(call.argv, waitSyntax);
  const [given, wanted] = args;
  if (given === undefined) throw new UsageError('Missing key');
  if (args.length > 2) throw new UsageError('Too many arguments');
  const key = qualifyKey(given, bench.instance);
  const question = barrier(valueQuestion(key, call.ignoreAbort || flags.has('ignore-abort')), wanted);
  const timeout = numbers['timeout'] ?? defaultTimeout;
  const state = wanted === undefined ? undefined : ` to be '${wanted}'`;
  const result = await block(call, bench, { question, timeout, waiting: `Waiting for ${key}${state ?? ''}` });
  if (!result) return failed(9, timeoutMessage(timeout, key, state));
  if (isNotYet(result)) return result;
  if (result.status === 'error') return refused(result);
  if (result.status === 'value' && result.secret) bench.masker.add(result.value);
  return nothing;
};

function barrier(question: Question, wanted: string | undefined): Question {
  if (wanted === undefined) return question;
  return { ...question, name: `${question.name} ${wanted}`, accepts: (value) => bare(value) === wanted };
}
