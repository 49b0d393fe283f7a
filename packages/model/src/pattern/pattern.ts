import { compile, type Instruction } from './program.ts';
import { parsePattern } from './syntax.ts';

/** The longest text that is compared with a pattern, in characters. */
export const longestMatched = 4096;
const longestPattern = 500;

/**
 * A regular expression that a stranger may write: it takes time in proportion to its size and to the text, never more. It has the
 * syntax and the meaning of JavaScript's with the flag `u`, without look-around and back-references.
 */
export class Pattern {
  /** The size of a pattern, 0 when it is none. */
  static sizeOf(source: string): number {
    try {
      return new Pattern(source).size;
    } catch {
      return 0;
    }
  }

  /** How many steps each character of a text may take. */
  readonly size: number;
  readonly #program: Instruction[];
  readonly #start: number;

  /** @throws Error with a one-line message when it is not such an expression */
  constructor(source: string) {
    if (source.length > longestPattern) throw new Error(`it is longer than ${longestPattern} characters`);
    const { program, start } = compile(parsePattern(source));
    this.#program = program;
    this.#start = start;
    this.size = program.length;
  }

  /** Whether the whole text matches. A text that is too long does not. */
  matches(text: string): boolean {
    return this.#run(text, true);
  }

  /** Whether a part of the text matches. */
  isIn(text: string): boolean {
    return this.#run(text, false);
  }

  #run(text: string, whole: boolean): boolean {
    if (text.length > longestMatched) return false;
    const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
    const seen = new Int32Array(this.#program.length).fill(-1);
    let states: number[] = [];
    for (let at = 0; at <= points.length; at++) {
      const waiting: Extract<Instruction, { kind: 'set' }>[] = [];
      const open = at === 0 || !whole ? [...states, this.#start] : states;
      let ended = false;
      for (let state = open.pop(); state !== undefined; state = open.pop()) {
        if (seen[state] === at) continue;
        seen[state] = at;
        const instruction = this.#program[state];
        if (instruction?.kind === 'set') waiting.push(instruction);
        else if (instruction?.kind === 'split') open.push(...instruction.next);
        else if (instruction?.kind === 'match') ended = true;
        else if (instruction?.holds(points, at)) open.push(instruction.next);
      }
      if (ended && (!whole || at === points.length)) return true;
      const point = points[at];
      states = point === undefined ? [] : waiting.flatMap(({ has, next }) => (has(point) ? [next] : []));
      if (states.length === 0 && whole) return false;
    }
    return false;
  }
}
