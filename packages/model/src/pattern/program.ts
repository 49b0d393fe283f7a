import type { Syntax } from './syntax.ts';

/** One state of the automaton. `next` are places in the program. */
export type Instruction =
  | { kind: 'set'; has: (codePoint: number) => boolean; next: number }
  | { kind: 'assertion'; holds: (points: readonly number[], at: number) => boolean; next: number }
  | { kind: 'split'; next: number[] }
  | { kind: 'match' };

/** The most states that a pattern may need. Each is looked at for each character of the text. */
export const mostStates = 1000;

/**
 * Thompson's construction, from the end to the beginning: what comes after a part is known when the part is written.
 * @throws Error when it gets too large, as with `(a{100}){100}`
 */
export function compile(syntax: Syntax): { program: Instruction[]; start: number } {
  const program: Instruction[] = [{ kind: 'match' }];
  const add = (instruction: Instruction): number => {
    if (program.length >= mostStates) throw new Error(`it is too large: repetitions multiply to more than ${mostStates} states`);
    return program.push(instruction) - 1;
  };
  const write = (part: Syntax, next: number): number => {
    switch (part.kind) {
      case 'set':
        return add({ kind: 'set', has: part.has, next });
      case 'assertion':
        return add({ kind: 'assertion', holds: part.holds, next });
      case 'sequence':
        return part.items.reduceRight((after, item) => write(item, after), next);
      case 'choice':
        return add({ kind: 'split', next: part.options.map((option) => write(option, next)) });
      case 'repeat':
        return writeRepeat(part, next);
    }
  };
  const writeRepeat = ({ item, min, max }: Extract<Syntax, { kind: 'repeat' }>, next: number): number => {
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop: Extract<Instruction, { kind: 'split' }> = { kind: 'split', next: [next] };
      start = add(loop);
      loop.next.push(write(item, start));
    } else {
      for (let index = min; index < max; index++) start = add({ kind: 'split', next: [next, write(item, start)] });
    }
    for (let index = 0; index < min; index++) {
      const before = program.length;
      start = write(item, start);
      // A part that adds nothing adds nothing the thousandth time, too.
      if (program.length === before) break;
    }
    return start;
  };
  return { start: write(syntax, 0), program };
}
