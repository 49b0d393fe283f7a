import type { Position } from './source-text.ts';

const widest = 100;

/** Characters that would move the cursor, or hide, become visible ones of the same width. */
function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  const hidden = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
  return text.replaceAll('\t', '→').replace(hidden, '·');
}

/**
 * A source line with carets under a range, such as
 *
 *     7 |     multiplicty: 3
 *       |     ^^^^^^^^^^^
 *
 * Of a long line only the part around the range is shown.
 */
export function codeFrame(line: string, from: Position, to: Position): string {
  const start = from.column - 1;
  const end = to.line > from.line ? line.length : to.column - 1;
  const cut = start > widest - 20 ? start - 40 : 0;
  const shown = visible(line.slice(cut, cut + widest));
  const before = cut > 0 ? '…' : '';
  const after = cut + widest < line.length ? '…' : '';
  const gutter = String(from.line).padStart(5);
  const carets = '^'.repeat(Math.max(1, Math.min(end - start, widest - (start - cut))));
  return `${gutter} | ${before}${shown}${after}\n${' '.repeat(5)} | ${' '.repeat(before.length + start - cut)}${carets}`;
}
