import { cutAtLine } from './markdown.ts';

/** A piece of a summary. */
export interface Section {
  text: string;
  /** What is least worth goes first when there is no room for everything. */
  worth: number;
}

const note = '\n_There is more than fits here; the log of the step has everything._\n';

/**
 * Puts a document together that is at most so long: sections that are worth least are left out until the rest fits, and if the last
 * one is too long by itself, it is cut between two lines.
 * @param bytes of UTF-8
 */
export function documentOf(sections: readonly Section[], bytes: number): string {
  const written = (some: readonly Section[]): string => some.map(({ text }) => `${text.trimEnd()}\n`).join('\n');
  let kept = sections.filter(({ text }) => text !== '');
  while (kept.length > 1 && Buffer.byteLength(written(kept)) > bytes - Buffer.byteLength(note)) {
    const least = Math.min(...kept.map(({ worth }) => worth));
    kept = kept.toSpliced(
      kept.findLastIndex(({ worth }) => worth === least),
      1,
    );
  }
  const shortened = kept.length < sections.filter(({ text }) => text !== '').length;
  return cutAtLine(written(kept) + (shortened ? note : ''), bytes, note);
}
