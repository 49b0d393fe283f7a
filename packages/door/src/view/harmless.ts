/** Escape sequences of terminals: CSI, OSC and its kin up to their end, and two-character ones; also in their 8-bit form. */
const sequences =
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;

/** What moves the cursor, turns the direction of writing, or cannot be seen. */
const controls =
  // oxlint-disable-next-line no-control-regex -- see above
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Text from a machine, fit for a terminal: no escape sequence and no control character but line ends and tabs is left. */
export function harmless(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(sequences, '').replace(controls, '');
}

/** A sequence at the end of a text that may go on. */
const unfinished =
  // oxlint-disable-next-line no-control-regex -- see above
  /(?:(?:\u001b\[|\u009b)[0-?]*[ -/]*|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n]*\u001b?|\u001b[ -/]*)$/;

/** A sequence without end must not fill memory; cut, it is text like any other, and no less harmless. */
const longestSequence = 4096;

/** The same of text that comes in pieces, which may end in the middle of a sequence. */
export class HarmlessStream {
  #rest = '';

  /** @returns what can be shown now */
  push(piece: string): string {
    const text = this.#rest + piece;
    const end = unfinished.exec(text.slice(-longestSequence))?.[0].length ?? 0;
    this.#rest = text.slice(text.length - end);
    return harmless(text.slice(0, text.length - end));
  }
}

/** The same, as a piece of one line. */
export function harmlessLine(text: string): string {
  return harmless(text)
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('\t', ' ')
    .trim();
}
