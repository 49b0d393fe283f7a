import { valueQuestion } from '../link/waits.ts';
import { block, defaultTimeout, isNotYet } from './blocking.ts';
import type { CommandRun } from './call.ts';
import { qualifyKey } from './keys.ts';
import { type CommandSyntax, UsageError, parseOptions } from './options.ts';
import { failed, output, refused } from './reply.ts';

export const getSyntax: CommandSyntax = {
  usage: 'ss-get [--timeout SECONDS] [--noblock] [--ignore-abort] [--json] <key>',
  options: { timeout: 'number', 'ignore-abort': 'flag', noblock: 'flag', json: 'flag' },
};

export const get: CommandRun = async (call, bench) => {
  const { flags, numbers, args } = parseOptions(call.argv, getSyntax);
  if (args.length < 1) throw new UsageError('Missing key');
  if (args.length > 1) throw new UsageError('Too many arguments');
  const key = qualifyKey(args[0]!, bench.instance);
  const ignoreAbort = call.ignoreAbort || flags.has('ignore-abort');
  const timeout = numbers['timeout'] ?? defaultTimeout;
  const result = flags.has('noblock')
    ? await bench.ops.send({ op: 'get', key, wait: false, ignoreAbort })
    : await block(call, bench, { question: valueQuestion(key, ignoreAbort), timeout, waiting: `Waiting for ${key}` });
  if (!result) return failed(9, timeoutMessage(timeout, key));
  if (isNotYet(result)) return result;
  if (result.status === 'error') return refused(result);
  if (result.status !== 'value') return output(flags.has('json') ? 'null' : '');
  if (result.secret) bench.masker.add(result.value);
  return output(flags.has('json') ? JSON.stringify(result.value) : bare(result.value));
};

export function timeoutMessage(timeout: number, key: string, state = ' to be set'): string {
  return `Exceeded timeout limit of ${timeout} waiting for key '${key}'${state}`;
}

/** As SlipStream printed values: without white space around them, and then without quotes around them. Recipes rely on it. */
export function bare(value: string): string {
  return value
    .trim()
    .replaceAll(/^"+|"+$/g, '')
    .replaceAll(/^'+|'+$/g, '');
}
