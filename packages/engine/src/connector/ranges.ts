/** Longer lists are not read: nobody writes them, and they come from outside. */
const mostNumbers = 10_000;

/** Whole numbers in their order, runs of them shortened: `1-200 203`. */
export function writeRanges(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] + 1 === number) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(' ');
}

/** Reads what {@link writeRanges} has written. @returns undefined for anything else */
export function readRanges(text: string): number[] | undefined {
  const numbers: number[] = [];
  for (const range of text.split(' ')) {
    const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(range) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from <= to) || numbers.length + to - from >= mostNumbers) return undefined;
    for (let number = from; number <= to; number += 1) numbers.push(number);
  }
  return numbers;
}
