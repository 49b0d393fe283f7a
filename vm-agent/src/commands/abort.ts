import { slipstreamMaxValueLength } from '@paceline/api/agent';
import type { CommandRun } from './call.ts';
import { type CommandSyntax, UsageError, parseOptions } from './options.ts';
import { acknowledged } from './reply.ts';

export const abortSyntax: CommandSyntax = { usage: 'ss-abort [--cancel] [--] [<reason>]', options: { cancel: 'flag' } };
export const cancelAbortSyntax: CommandSyntax = { usage: 'ss-cancel-abort', options: {} };

export const abort: CommandRun = async (call, bench) => {
  const { flags, args } = parseOptions(call.argv, abortSyntax);
  if (args.length > 1) throw new UsageError('Too many arguments');
  const op = flags.has('cancel') ? { op: 'cancelAbort' as const } : { op: 'abort' as const, reason: middleCut(args[0] || '(unspecified)') };
  return acknowledged(await bench.ops.send(op));
};

export const cancelAbort: CommandRun = async (call, bench) => {
  if (parseOptions(call.argv, cancelAbortSyntax).args.length > 0) throw new UsageError('No arguments required');
  return acknowledged(await bench.ops.send({ op: 'cancelAbort' }));
};

const cut = '\n(truncated)\n';

/** Reasons stay as short as SlipStream's; both ends are worth keeping. */
function middleCut(text: string, limit: number = slipstreamMaxValueLength): string {
  if (text.length <= limit) return text;
  const half = Math.floor((limit - cut.length) / 2);
  return text.slice(0, half) + cut + text.slice(-half);
}
