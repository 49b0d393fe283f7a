import type { Command, Word, WordPart } from 'unbash';

/** What is known of variables: the arguments of a function call (`1`, `2`, …, `@`) and the variable of a loop. */
export interface Variables {
  values: ReadonlyMap<string, string>;
  /** The arguments of the function that is read; undefined outside of functions, and when one is not known. */
  args: readonly (string | undefined)[] | undefined;
}

export const noVariables: Variables = { values: new Map(), args: undefined };

/** A word of a command line: its text when it can be known before the script runs. */
export interface Argument {
  text: string | undefined;
  word: Word;
}

/** The text of a word, undefined when it depends on the run of the script. */
export function literal(word: Word, variables: Variables): string | undefined {
  return word.parts === undefined ? word.value : join(word.parts, variables);
}

function join(parts: readonly WordPart[], variables: Variables): string | undefined {
  let text = '';
  for (const part of parts) {
    const piece = pieceOf(part, variables);
    if (piece === undefined) return undefined;
    text += piece;
  }
  return text;
}

function pieceOf(part: WordPart, variables: Variables): string | undefined {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return part.value;
    case 'DoubleQuoted':
      return join(part.parts, variables);
    case 'SimpleExpansion':
      return valueOf(part.text.slice(1), variables);
    case 'ParameterExpansion':
      return (part.operation ?? part.prefix ?? part.index) ? undefined : valueOf(part.parameter, variables);
    default:
      return undefined;
  }
}

function valueOf(name: string, { values, args }: Variables): string | undefined {
  if (/^[1-9]$/.test(name)) return args?.[Number(name) - 1];
  return values.get(name);
}

/** The text of a word, with `_` for what depends on the run of the script. */
export function outline(word: Word): string {
  return word.parts === undefined ? word.value : outlineOf(word.parts);
}

/** The same for the parts of a word or of a here-document. */
export function outlineOf(parts: readonly WordPart[]): string {
  return parts.map((part) => (part.type === 'DoubleQuoted' ? outlineOf(part.parts) : (pieceOf(part, noVariables) ?? '_'))).join('');
}

/** The words of a command, name first. `"$@"` stands for the arguments of the function, where they are known. */
export function argumentsOf(command: Command, variables: Variables): Argument[] {
  return expand([...(command.name ? [command.name] : []), ...command.suffix.filter((one) => one.type === 'Word')], variables);
}

/** Words as arguments; `"$@"` becomes as many as there are. */
export function expand(words: readonly Word[], variables: Variables): Argument[] {
  return words.flatMap((word) => {
    if (/^"?\$\{?[@*]\}?"?$/.test(word.text) && variables.args) return variables.args.map((text) => ({ text, word }));
    return [{ text: literal(word, variables), word }];
  });
}
