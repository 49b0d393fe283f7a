import { block, defaultTimeout, isNotYet } from './blocking.ts';
import type { CommandRun } from './call.ts';
import { bare } from './get.ts';
import { type CommandSyntax, UsageError, parseOptions } from './options.ts';
import { type Reply, output, refused } from './reply.ts';

export const getAllSyntax: CommandSyntax = {
  usage: 'ss-get-all [options] <component> <key>',
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
  const question = { op: 'getAll' as const, node, name, ignoreAbort };
  const waited = flags.has('noblock')
    ? await bench.send(now)
    : await block(call, bench, { question, timeout, waiting: `Waiting for ${node}.*:${name}` });
  // Time is over: what there is, and nothing for the others.
  const result = waited ?? (await bench.send(now));
  if (isNotYet(result)) return result;
  if (result.status === 'error') return refused(result);
  const unset = result.status === 'values' ? result.unset : [];
  const values = result.status === 'values' ? result.values : {};
  // The engine may name instances by number or in full.
  const number = (id: string): string => id.slice(id.lastIndexOf('.') + 1);
  const all = new Map([...unset.map((id) => [number(id), ''] as const), ...Object.entries(values).map(([id, value]) => [number(id), bare(value)] as const)]);
  const sorted = [...all].sort(([a], [b]) => Number(a) - Number(b));
  const lines = sorted.map(([id, value]) => `${node}.${id}:${name} ${value}`).join('\n');
  const wanted = texts['value'];
  if (wanted && sorted.some(([, value]) => value !== wanted)) return mismatch(wanted, lines);
  if (!flags.has('json')) return wanted || sorted.length === 0 ? { code: 0, to: 'none', text: '' } : output(lines);
  const unsetIds = new Set(unset.map(number));
  return output(JSON.stringify(Object.fromEntries(sorted.map(([id, value]) => [`${node}.${id}`, unsetIds.has(id) ? null : value]))));
};

function mismatch(wanted: string, lines: string): Reply {
  const message = `RTP value on some components not equal to the expected value: ${wanted}`;
  return { code: 1, to: 'both', text: `${message}\n${lines}` };
}
