import type { Argument } from './words.ts';

const wrappers: Readonly<Record<string, RegExp>> = {
  // The options of each that take a value in the next word.
  sudo: /^-[ugpCTrth]$/,
  env: /^-[uC]$/,
  nice: /^-n$/,
  ionice: /^-[cn]$/,
  timeout: /^-[ks]$/,
  stdbuf: /^-[ioe]$/,
  chroot: /^$/,
  nohup: /^$/,
  exec: /^-a$/,
  command: /^$/,
  builtin: /^$/,
  setsid: /^$/,
  time: /^$/,
};

/** The words of the command that is run in the end: without `sudo`, `timeout 5`, `env A=b` and the like. */
export function unwrap(words: readonly Argument[]): readonly Argument[] {
  let rest = words;
  for (;;) {
    const name = baseName(rest[0]);
    const valued = name === undefined || !Object.hasOwn(wrappers, name) ? undefined : wrappers[name];
    if (valued === undefined) return rest;
    // `command -v x` and `sudo -l x` ask about a command, they do not run it.
    if (name === 'command' && /^-[vV]/.test(rest[1]?.text ?? '')) return [];
    let at = 1;
    for (; at < rest.length; at++) {
      const text = rest[at]?.text ?? '';
      if (text === '--') {
        at++;
        break;
      }
      if (valued.test(text)) at++;
      else if (!text.startsWith('-') && !((name === 'env' || name === 'sudo') && /^\w+=/.test(text))) break;
    }
    if (name === 'timeout') at++;
    rest = rest.slice(at);
  }
}

/** The name of a command without its folder; also of `$BIN/ss-get`, whose folder is not known. */
export function baseName(argument: Argument | undefined): string | undefined {
  if (argument === undefined) return undefined;
  const { text, word } = argument;
  if (text !== undefined) return text.slice(text.lastIndexOf('/') + 1);
  return /\/(ss-[a-z-]+)"?$/.exec(word.text)?.[1];
}

export interface Options {
  /** The words that are not options. */
  operands: readonly Argument[];
  flags: ReadonlySet<string>;
  /** A word before the operands is not known: it may be an option, or two. */
  unsure: boolean;
}

const withValue = new Set(['--timeout', '--run', '--endpoint', '--value', '-s', '--size']);

/** Splits the words after an `ss-*` command as its option parser does. */
export function parseOptions(words: readonly Argument[]): Options {
  const operands: Argument[] = [];
  const flags = new Set<string>();
  let unsure = false;
  for (let at = 0; at < words.length; at++) {
    const argument = words[at];
    if (argument === undefined) break;
    const { text, word } = argument;
    if (text === '--') return { operands: [...operands, ...words.slice(at + 1)], flags, unsure };
    // An unquoted `$OPTIONS` before the key may be anything, a quoted one is a word by itself.
    if (text === undefined && operands.length === 0 && word.text.startsWith('$')) unsure = true;
    if (text === undefined || !text.startsWith('-') || text === '-') operands.push(argument);
    else if (withValue.has(text)) at++;
    else flags.add(text.split('=', 1)[0] ?? text);
  }
  return { operands, flags, unsure };
}
