/** A place in a file; lines and columns count from 1, columns in UTF-16 units as editors do. */
export interface Position {
  line: number;
  column: number;
}

/** Half-open range of offsets in a text. */
export type Range = readonly [start: number, end: number];

/** The text of one file with its name for messages. */
export interface SourceText {
  /** How messages call the file. */
  file: string;
  text: string;
  /** Where an offset is. */
  at(offset: number): Position;
  /** The text of a line, without its end; lines count from 1. */
  line(number: number): string;
}

/** Wraps a text so that offsets can be turned into lines and columns. */
export function sourceText(file: string, text: string): SourceText {
  const starts = [0];
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return {
    file,
    text,
    at(offset) {
      const clamped = Math.max(0, Math.min(offset, text.length));
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= clamped) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: clamped - (starts[low] ?? 0) + 1 };
    },
    line(number) {
      const start = starts[number - 1];
      if (start === undefined) return '';
      const next = starts[number];
      return text.slice(start, next === undefined ? text.length : next - 1).replace(/\r$/, '');
    },
  };
}
