/** The options of a shell that decide what it means when a command fails, as far as its script has got. */
export interface ShellOptions {
  /** The script ends: `set -e`. */
  errexit: boolean;
  /** A pipeline has failed when any part of it has. */
  pipefail: boolean;
}

/** The options that the first line of a script gives. */
export function firstOptions(line: string): ShellOptions {
  const [, words = ''] = /^#!.*?\w*sh\s+(.*)$/.exec(line) ?? [];
  return changeOptions({ errexit: false, pipefail: false }, words.split(/\s+/), true);
}

/**
 * The options after `set` with these words.
 * @param words undefined where one is not known
 * @param surely that the script comes by here; else an option is only ever taken away
 */
export function changeOptions(options: ShellOptions, words: readonly (string | undefined)[], surely: boolean): ShellOptions {
  const changed = { ...options };
  const change = (name: string | undefined, on: boolean): void => {
    if (name === 'errexit' || name === 'pipefail') changed[name] = on && (surely || options[name]);
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === undefined) return { errexit: false, pipefail: false };
    const [, sign, letters = ''] = /^([-+])([a-zA-Z]+)$/.exec(word) ?? [];
    if (sign === undefined) break;
    if (letters.includes('e')) change('errexit', sign === '-');
    if (letters.includes('o')) change(words[++at], sign === '-');
  }
  return changed;
}
