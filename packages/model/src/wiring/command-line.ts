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

/** The command that is run in the end. */
export interface Unwrapped {
  /** Without `sudo`, `timeout 5`, `env A=b` and the like; empty when nothing is run. */
  words: readonly Argument[];
  /** Ended by `timeout` when it lasts too long. */
  bounded: boolean;
  /** The script ends with it: `exec`. */
  last: boolean;
}

/** Takes away the commands that only run another one. */
export function unwrap(words: readonly Argument[]): Unwrapped {
  let rest = words;
  const seen = new Set<string | undefined>();
  for (;;) {
    const name = baseName(rest[0]);
    const valued = name === undefined || !Object.hasOwn(wrappers, name) ? undefined : wrappers[name];
    if (valued === undefined) return { words: rest, bounded: seen.has('timeout'), last: seen.has('exec') && rest.length > 0 };
    seen.add(name);
    // `command -v x` and `sudo -l x` ask about a command, they do not run it.
    if (name === 'command' && /^-[vV]/.test(rest[1]?.text ?? '')) return { words: [], bounded: false, last: false };
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
