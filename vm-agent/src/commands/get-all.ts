import type { OpResult } from '@paceline/api/agent';
import { valuesQuestion } from '../link/waits.ts';
import { block, defaultTimeout, isNotYet } from './blocking.ts';
import type { CommandRun } from './call.ts';
import { bare } from './get.ts';
import { type CommandSyntax, UsageError, parseOptions } from './options.ts';
import { nothing, output, refused } from './reply.ts';

export const getAllSyntax: CommandSyntax = {
  usage: 'ss-get-all [--timeout SECONDS] [--noblock] [--ignore-abort] [--value VALUE] [--json] <component> <key>',
  options: { timeout: 'number', 'ignore-abort': 'flag', noblock: 'flag', value: 'text', json: 'flag' },
};

export const getAll: CommandRun = async (call, bench) => {
  const { flags, texts, numbers, args } = parseOptions(call.argv, getAllSyntax);
  const [node, name] = args;
  if (node === undefined) throw new UsageError('Missing component name and key');
  if (name === undefined) throw new UsageError('Missing key');
  if (args.length > 2) throw new UsageError('Too many arguments');
  const ignoreAbort = call.ignoreAbort || flags.has('ignore-abort');
  const timeout = numbers['timeout'] ?? defaultTimeout;
  const now = { op: 'getAll' as const, node, name, wait: false, ignoreAbort };
  const waited = flags.has('noblock')
    ? await bench.ops.send(now)
    : await block(call, bench, { question: valuesQuestion(node, name, ignoreAbort), timeout, waiting: `Waiting for ${node}.*:${name}` });
  // Time is over: what there is, and nothing for the others.
  const result = waited ?? (await bench.ops.send(now));
  if (isNotYet(result)) return result;
  if (result.status === 'error') return refused(result);
  const sorted = instancesOf(node, result);
  const lines = sorted.map(([instance, value]) => `${instance}:${name} ${value ?? ''}`).join('\n');
  const wanted = texts['value'];
  if (wanted && sorted.some(([, value]) => value !== wanted)) {
    return { code: 1, to: 'both', text: `RTP value on some components not equal to the expected value: ${wanted}\n${lines}` };
  }
  if (flags.has('json')) return output(JSON.stringify(Object.fromEntries(sorted)));
  return wanted || !lines ? nothing : output(lines);
};

/** By number; null where there is no value yet. */
function instancesOf(node: string, result: OpResult): [instance: string, value: string | null][] {
  if (result.status !== 'values') return [];
  const all = [
    ...result.unset.map((id): [string, null] => [id, null]),
    ...Object.entries(result.values).map(([id, value]): [string, string] => [id, bare(value)]),
  ];
  return all.sort(([a], [b]) => Number(a) - Number(b)).map(([id, value]) => [`${node}.${id}`, value]);
}
