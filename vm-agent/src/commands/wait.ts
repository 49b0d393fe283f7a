import { valueQuestion } from '../link/waits.ts';
import { block, deadlineOf, defaultTimeout, isNotYet } from './blocking.ts';
import type { CommandRun } from './call.ts';
import { bare, timeoutMessage } from './get.ts';
import { qualifyKey } from './keys.ts';
import { type CommandSyntax, UsageError, parseOptions } from './options.ts';
import { failed, nothing, refused } from './reply.ts';

export const waitSyntax: CommandSyntax = {
  usage: 'ss-wait [--timeout SECONDS] [--ignore-abort] [--] <key> [<value>]',
  options: { timeout: 'number', 'ignore-abort': 'flag' },
};

/** The engine tells when an unset value gets set, not when a value changes: that is looked for this often, in milliseconds. */
const lookMs = 1000;
const looks = 5;

/** A barrier: returns when the parameter has that value, or any if none is given. */
export const wait: CommandRun = async (call, bench) => {
  const { flags, numbers, args } = parseOptions(call.argv, waitSyntax);
  const [given, wanted] = args;
  if (given === undefined) throw new UsageError('Missing key');
  if (args.length > 2) throw new UsageError('Too many arguments');
  const key = qualifyKey(given, bench.instance);
  const ignoreAbort = call.ignoreAbort || flags.has('ignore-abort');
  const timeout = numbers['timeout'] ?? defaultTimeout;
  const deadline = deadlineOf(call, bench.clock.now(), timeout);
  const waiting = `Waiting for ${key}${wanted === undefined ? '' : ` to be '${wanted}'`}`;
  for (let look = 0; ; look++) {
    const result = await block(call, bench, { question: valueQuestion(key, ignoreAbort), timeout, waiting });
    if (!result) return failed(9, timeoutMessage(timeout, key));
    if (isNotYet(result)) return result;
    if (result.status === 'error') return refused(result);
    if (result.status === 'value') {
      if (result.secret) bench.masker.add(result.value);
      if (wanted === undefined || bare(result.value) === wanted) return nothing;
    }
    const left = deadline === 0 ? Infinity : deadline - bench.clock.now();
    if (left <= 0) return failed(9, timeoutMessage(timeout, key).replace(/to be set$/, `to be '${wanted}'`));
    if (call.deadline === undefined || look === looks) return { deadline, text: waiting };
    await bench.clock.sleep(Math.min(lookMs, left));
  }
};
