/** The tree of a regular expression, as far as it is one in the sense of the theory. */
export type Syntax =
  | { kind: 'set'; has: (codePoint: number) => boolean }
  | { kind: 'assertion'; holds: (points: readonly number[], at: number) => boolean }
  | { kind: 'sequence'; items: Syntax[] }
  | { kind: 'choice'; options: Syntax[] }
  | { kind: 'repeat'; item: Syntax; min: number; max: number };

/**
 * Reads a JavaScript regular expression (with the flag `u`).
 * @throws Error with a one-line message when it is none, or needs more than a finite automaton: look-around, back-references
 */
export function parsePattern(source: string): Syntax {
  try {
    // What is not for us to understand is refused by those who do.
    void new RegExp(source, 'u');
  } catch (error) {
    throw new Error((error as Error).message, { cause: error });
  }
  return new Reader(source).choice();
}

const unsupported: readonly [RegExp, string][] = [
  [/^\(\?<?[=!]/, 'looking ahead or behind'],
  [/^\(\?[a-z-]+:/, 'flags inside of a pattern'],
  [/^\\(?:[1-9]|k<)/, 'a reference to an earlier group'],
];

const lineEnds = new Set([0x0a, 0x0d, 0x2028, 0x2029]);

/** The syntax is known to be right: what is left is to tell the parts from each other. */
class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  choice(): Syntax {
    const options = [this.#sequence()];
    while (this.#take(/\|/y) !== undefined) options.push(this.#sequence());
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
  }

  #sequence(): Syntax {
    const items: Syntax[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#source[this.#at] ?? '')) items.push(this.#repeated());
    return { kind: 'sequence', items };
  }

  #repeated(): Syntax {
    const item = this.#atom();
    const quantifier = this.#take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (quantifier === undefined) return item;
    const [, least, comma, most] = /^\{(\d+)(,?)(\d*)\}/.exec(quantifier) ?? [];
    if (least !== undefined) {
      const max = comma === '' ? Number(least) : most === '' ? Number.POSITIVE_INFINITY : Number(most);
      return { kind: 'repeat', item, min: Number(least), max };
    }
    return {
      kind: 'repeat',
      item,
      min: quantifier.startsWith('+') ? 1 : 0,
      max: quantifier.startsWith('?') ? 1 : Number.POSITIVE_INFINITY,
    };
  }

  #atom(): Syntax {
    const rest = this.#source.slice(this.#at);
    for (const [form, name] of unsupported) if (form.test(rest)) throw new Error(`${name} is not supported`);
    if (this.#take(/\((?:\?:|\?<[^>]+>)?/y) !== undefined) {
      const inner = this.choice();
      this.#at += 1;
      return inner;
    }
    if (this.#take(/\^/y) !== undefined) return { kind: 'assertion', holds: (_points, at) => at === 0 };
    if (this.#take(/\$/y) !== undefined) return { kind: 'assertion', holds: (points, at) => at === points.length };
    const border = this.#take(/\\[bB]/y);
    if (border !== undefined) return { kind: 'assertion', holds: (points, at) => isBorder(points, at) === (border === '\\b') };
    if (this.#take(/\./y) !== undefined) return { kind: 'set', has: (point) => !lineEnds.has(point) };
    const set = this.#take(
      /\[(?:[^\]\\]|\\.)*\]|\\(?:u\{[^}]*\}|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|[pP]\{[^}]*\}|.)/suy,
    );
    if (set !== undefined) return { kind: 'set', has: memberOf(set) };
    const literal = rest.codePointAt(0) ?? 0;
    this.#at += literal > 0xffff ? 2 : 1;
    return { kind: 'set', has: (point) => point === literal };
  }

  /** @param form with the flag `y` */
  #take(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const [text] = form.exec(this.#source) ?? [];
    if (text !== undefined) this.#at += text.length;
    return text;
  }
}

/** One character at a time even the worst expression is quick, so classes and escapes are left to the engine that knows them. */
function memberOf(source: string): (codePoint: number) => boolean {
  const one = new RegExp(`^${source}$`, 'u');
  const known = new Map<number, boolean>();
  return (point) => {
    let is = known.get(point);
    if (is === undefined) known.set(point, (is = one.test(String.fromCodePoint(point))));
    return is;
  };
}

function isBorder(points: readonly number[], at: number): boolean {
  const isWord = (point: number | undefined): boolean => point !== undefined && /^\w$/.test(String.fromCodePoint(point));
  return isWord(points[at - 1]) !== isWord(points[at]);
}
