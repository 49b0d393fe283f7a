import type { CommandName } from './flow.ts';
import type { Argument } from './words.ts';

/** What is said after the name of an `ss-*` command. */
export interface CallOptions {
  /** The words that are not options. */
  operands: readonly Argument[];
  /** Options that are given, by their full names. */
  flags: ReadonlySet<string>;
  /** The texts of those that take one; undefined where it is not known. */
  values: ReadonlyMap<string, string | undefined>;
  /** A word before the operands is not known: it may be an option, or two. */
  unsure: boolean;
}

const common = { verbose: false, run: true, endpoint: true, help: false };
/** The options of each command, and whether they take a value. */
const known: Readonly<Record<CommandName, Readonly<Record<string, boolean>>>> = {
  'ss-get': { ...common, timeout: true, noblock: false, 'ignore-abort': false, json: false },
  'ss-get-all': { ...common, timeout: true, noblock: false, 'ignore-abort': false, value: true, json: false },
  'ss-wait': { ...common, timeout: true, 'ignore-abort': false },
  'ss-set': { ...common, 'ignore-abort': false, secret: false, file: true },
  'ss-random': { ...common, size: true, secret: false },
};

/** Splits the words after an `ss-*` command as its option parser does: options anywhere, abbreviated, with `=` or without. */
export function callOptions(command: CommandName, words: readonly Argument[]): CallOptions {
  const operands: Argument[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string | undefined>();
  let unsure = false;
  for (let at = 0; at < words.length; at++) {
    const argument = words[at];
    if (argument === undefined) break;
    const { text, word } = argument;
    if (text === '--') return { operands: [...operands, ...words.slice(at + 1)], flags, values, unsure };
    // `--timeout=$SECONDS`
    const [, long, attached] = /^--([a-z-]*)(=?)/.exec(text ?? word.text) ?? [];
    if (long !== undefined && (text !== undefined || attached === '=')) {
      const name = fullName(command, long);
      flags.add(name);
      if (known[command][name] !== true) continue;
      values.set(name, attached === '=' ? text?.slice(long.length + 3) : words[++at]?.text);
    } else if (text === undefined) {
      // An unquoted `$OPTIONS` before the key may be anything, a quoted one is a word by itself.
      if (operands.length === 0 && word.text.startsWith('$')) unsure = true;
      operands.push(argument);
    } else if (text === '-' || !text.startsWith('-')) operands.push(argument);
    else if (command === 'ss-random' && text === '-s') at++;
  }
  return { operands, flags, values, unsure };
}

function fullName(command: CommandName, given: string): string {
  if (Object.hasOwn(known[command], given)) return given;
  const matches = Object.keys(known[command]).filter((name) => name.startsWith(given));
  return given !== '' && matches.length === 1 && matches[0] !== undefined ? matches[0] : given;
}
