import { diagnose, type Diagnostic } from './diagnostic.ts';
import { sourceText, type SourceText } from './source-text.ts';

/** The text of a file, or why it has none. `bom`: it began with a byte order mark, which is not part of the text. */
export type Decoded = { source: SourceText; bom: boolean } | { problem: Diagnostic };

/** Reads bytes as UTF-8. */
export function decode(file: string, bytes: Uint8Array): Decoded {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const bom = text.startsWith('\ufeff');
    return { source: sourceText(file, bom ? text.slice(1) : text), bom };
  } catch {
    const source = sourceText(file, new TextDecoder('utf-8').decode(bytes));
    const first = Math.max(0, source.text.indexOf('\ufffd'));
    const [one, two] = bytes;
    const utf16 = (one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff);
    return {
      problem: diagnose(source, [first, first + 1], {
        message: utf16 ? 'The file is UTF-16, not UTF-8.' : 'The file is not UTF-8 text.',
        hint: 'Save it again as UTF-8.',
      }),
    };
  }
}
