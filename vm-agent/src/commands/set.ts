import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { maxValueBytes } from '@paceline/api/agent';
import type { CommandBench, CommandRun } from './call.ts';
import { qualifyKey } from './keys.ts';
import { type CommandSyntax, UsageError, parseOptions } from './options.ts';
import { type Reply, acknowledged, failed, output } from './reply.ts';

export const setSyntax: CommandSyntax = {
  usage: 'ss-set [--secret] [--ignore-abort] [--file PATH, or - for standard input] [--] <key> [<value>]',
  options: { 'ignore-abort': 'flag', secret: 'flag', file: 'text' },
};

export const displaySyntax: CommandSyntax = {
  usage: 'ss-display [--ignore-abort] [--] <value>',
  options: { 'ignore-abort': 'flag' },
};

export const randomSyntax: CommandSyntax = {
  usage: 'ss-random [--size NUMBER] [--secret] [<key>]',
  options: { size: 'number', secret: 'flag' },
  shorts: { s: 'size' },
};

export const set: CommandRun = async (call, bench) => {
  const { flags, texts, args } = parseOptions(call.argv, setSyntax);
  const path = texts['file'];
  const [key, argument] = args;
  if (key === undefined || args.length !== (path === undefined ? 2 : 1)) {
    throw new UsageError(`Error, ${path === undefined ? 'two arguments' : 'one argument'} must be specified`);
  }
  let value = argument;
  if (path === '-') value = call.stdin ?? '';
  else if (path !== undefined) {
    try {
      value = await promisify(readFile)(resolve(call.cwd, path), 'utf8');
    } catch (error) {
      return failed(3, `cannot read ${path}: ${(error as Error).message}`);
    }
  }
  const ignoreAbort = call.ignoreAbort || flags.has('ignore-abort');
  return assign(bench, key, value!, flags.has('secret'), ignoreAbort);
};

/** Text that the dashboard shows for this instance. */
export const display: CommandRun = async (call, bench) => {
  const { flags, args } = parseOptions(call.argv, displaySyntax);
  if (args.length !== 1) throw new UsageError('Error, one argument must be specified');
  return assign(bench, 'statecustom', args[0]!, false, call.ignoreAbort || flags.has('ignore-abort'));
};

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const random: CommandRun = async (call, bench) => {
  const { flags, numbers, args } = parseOptions(call.argv, randomSyntax);
  if (args.length > 1) throw new UsageError('Too many arguments');
  const size = numbers['size'] ?? 12;
  if (size < 1) throw new UsageError('Size value must be a positive integer');
  if (size > maxValueBytes) return failed(7, tooLong);
  const value = Array.from({ length: size }, () => letters[randomInt(letters.length)]).join('');
  if (flags.has('secret')) bench.masker.add(value);
  const [key] = args;
  if (key === undefined) return output(value);
  const reply = await assign(bench, key, value, flags.has('secret'), call.ignoreAbort);
  return reply.code === 0 ? output(value) : reply;
};

const tooLong = `value exceeds maximum length of ${maxValueBytes} bytes`;

/** An empty value unsets. Escape characters, which colours in terminals leave behind, are dropped. */
async function assign(bench: CommandBench, name: string, given: string, secret: boolean, ignoreAbort: boolean): Promise<Reply> {
  const key = qualifyKey(name, bench.instance);
  const value = given.replaceAll('\x1b', '');
  if (Buffer.byteLength(value) > maxValueBytes) return failed(7, tooLong);
  if (secret) bench.masker.add(value);
  return acknowledged(
    await bench.ops.send(value === '' ? { op: 'unset', key, ignoreAbort } : { op: 'set', key, value, secret, ignoreAbort }),
  );
}
