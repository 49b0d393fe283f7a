import { describe, expect, test } from 'vitest';
import { type CommandSyntax, type UsageError, parseOptions } from './options.ts';

const syntax: CommandSyntax = {
  usage: 'ss-x [options] <key>',
  options: { timeout: 'number', 'ignore-abort': 'flag', noblock: 'flag', value: 'text' },
  shorts: { s: 'value' },
};

function parsed(argv: string[]): string {
  try {
    const { flags, texts, numbers, args } = parseOptions(argv, syntax);
    return JSON.stringify({ flags: [...flags], ...texts, ...numbers, args });
  } catch (error) {
    return `${(error as UsageError).help ? 'help' : 'usage'}: ${(error as Error).message}`;
  }
}

describe('optparse, as recipes know it', () => {
  test.each([
    [['k'], '{"flags":[],"args":["k"]}'],
    [['--timeout', '5', 'k'], '{"flags":[],"timeout":5,"args":["k"]}'],
    [['k', '--timeout=5'], '{"flags":[],"timeout":5,"args":["k"]}'],
    [['--time', '5', '--no', 'k'], '{"flags":["noblock"],"timeout":5,"args":["k"]}'],
    [['--value=', 'k'], '{"flags":[],"value":"","args":["k"]}'],
    [['--value', '--noblock', 'k'], '{"flags":[],"value":"--noblock","args":["k"]}'],
    [['-sabc', '-s', 'd', 'k'], '{"flags":[],"value":"d","args":["k"]}'],
    [['-vv', '-v', '--verbose', 'k'], '{"flags":["verbose"],"args":["k"]}'],
    [['-vsx', 'k'], '{"flags":["verbose"],"value":"x","args":["k"]}'],
    [['--run', 'uuid', '--endpoint=https://nuv.la', 'k'], '{"flags":[],"run":"uuid","endpoint":"https://nuv.la","args":["k"]}'],
    [['--', '-k', '--timeout', '--'], '{"flags":[],"args":["-k","--timeout","--"]}'],
    [['k', '-'], '{"flags":[],"args":["k","-"]}'],
    [['', 'a b'], '{"flags":[],"args":["","a b"]}'],
    [['-5'], 'usage: no such option: -5'],
    [['-x'], 'usage: no such option: -x'],
    [['--nonsense'], 'usage: no such option: --nonsense'],
    [['--ver', '--v'], 'usage: ambiguous option: --v (--value, --verbose?)'],
    [['--timeout'], 'usage: --timeout option requires an argument'],
    [['--timeout=x'], "usage: option --timeout: invalid integer value: 'x'"],
    [['--timeout=1.5'], "usage: option --timeout: invalid integer value: '1.5'"],
    [['--noblock=1'], 'usage: --noblock option does not take a value'],
    [['-h'], 'help: Usage: ss-x [options] <key>'],
  ])('%j', (argv, expected) => expect(parsed(argv)).toBe(expected));
});
