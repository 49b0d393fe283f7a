/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

/**
 * The word of `known` that was most likely meant by `written`.
 * @returns undefined when none is close: a third of the letters may differ
 */
export function closest(written: string, known: Iterable<string>): string | undefined {
  if (written.length > 100) return undefined;
  let best: string | undefined;
  // Of a word of two letters, one edit is half.
  let least = written.length < 3 ? 0.5 : Math.max(1, Math.floor(written.length / 3)) + 0.5;
  for (const word of known) {
    if (Math.abs(word.length - written.length) > least) continue;
    const edits = distance(written.toLowerCase(), word.toLowerCase()) + (word === written ? 0 : 0.1);
    if (edits < least) [best, least] = [word, edits];
  }
  return best;
}

/** A hint for an unknown name: the close one, or the list of all when it is short. */
export function suggest(written: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  const near = closest(written, names);
  if (near !== undefined) return `Did you mean \`${near}\`?`;
  if (names.length === 0 || names.length > 12) return undefined;
  return `There ${names.length === 1 ? 'is' : 'are'}: ${names.join(', ')}.`;
}
