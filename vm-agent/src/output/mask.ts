import { tried } from '../tried.ts';

/** Shorter values are no secrets that can be hidden: every output is full of them. */
const shortest = 4;
/** Longer texts are hidden piece by piece. */
const longest = 1024;

export const maskText = '***';

/**
 * Hides secret values, also in the forms that scripts turn them into. Works on bytes, held in a string of one character per byte,
 * so that positions are those of the file.
 */
export class Masker {
  readonly #patterns = new Set<string>();
  /** Bytes of the longest pattern. */
  longest = 0;

  add(value: string): void {
    for (const form of formsOf(value)) {
      this.#patterns.add(form);
      this.longest = Math.max(this.longest, form.length);
    }
  }

  get empty(): boolean {
    return this.#patterns.size === 0;
  }

  /** The places to hide, in order, without overlaps. */
  ranges(binary: string): [start: number, end: number][] {
    const found: [number, number][] = [];
    for (const pattern of this.#patterns)
      for (let at = binary.indexOf(pattern); at !== -1; at = binary.indexOf(pattern, at + 1)) found.push([at, at + pattern.length]);
    found.sort((a, b) => a[0] - b[0]);
    const merged: [number, number][] = [];
    for (const range of found) {
      const last = merged.at(-1);
      if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
      else merged.push(range);
    }
    return merged;
  }

  /** From here on the text may be the beginning of a secret whose rest has not come yet. */
  safeEnd(binary: string): number {
    let end = binary.length;
    for (const pattern of this.#patterns) {
      const from = Math.max(0, binary.length - pattern.length + 1);
      for (let at = binary.indexOf(pattern[0]!, from); at !== -1 && at < end; at = binary.indexOf(pattern[0]!, at + 1))
        if (pattern.startsWith(binary.slice(at))) end = at;
    }
    return end;
  }

  /** A whole text, such as a message. */
  hide(text: string): string {
    if (this.empty) return text;
    const bytes = Buffer.from(text);
    return hideBetween(bytes, this.ranges(bytes.toString('latin1')), 0, bytes.length);
  }
}

/** The text of `bytes` from `start` to `end`; a range that began before `start` was already replaced by its mask. */
export function hideBetween(bytes: Buffer, ranges: [number, number][], start: number, end: number): string {
  let text = '';
  let at = start;
  for (const [from, to] of ranges) {
    if (to <= start || from >= end) continue;
    if (from >= start) text += bytes.toString('utf8', at, from) + maskText;
    at = to;
  }
  return at < end ? text + bytes.toString('utf8', at, end) : text;
}

function* formsOf(value: string): Generator<string> {
  if (value.length < shortest) return;
  const whole = Buffer.byteLength(value) <= longest;
  if (whole) yield* encodings(value);
  // Many-lined secrets (keys, certificates) are printed and logged line by line.
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  if (lines.length === 1 && whole) return;
  for (const line of lines) for (const form of new Set([line, JSON.stringify(line).slice(1, -1)])) yield* pieces(latin1(form), longest);
  if (!whole && value.length <= 16 * longest) for (const width of [76, 64]) yield* pieces(Buffer.from(value).toString('base64'), width);
}

function* encodings(value: string): Generator<string> {
  const encoded = tried(() => encodeURIComponent(value)) ?? latin1(value);
  const forms = [
    latin1(value),
    latin1(JSON.stringify(value).slice(1, -1)),
    encoded,
    encoded.replaceAll('%20', '+'),
    // As `set -x` prints it.
    latin1(value.replaceAll("'", `'\\''`)),
    ...base64Forms(value),
  ];
  for (const form of forms) if (form.length >= shortest) yield form;
}

/** Base64 by itself, and the parts of it that stay the same when other text stands before and behind. */
function* base64Forms(value: string): Generator<string> {
  const bytes = Buffer.from(value);
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    if (before === 0) yield* [text, text.replace(/=+$/, ''), bytes.toString('base64url')];
    const bare = text.replace(/=+$/, '');
    yield bare.slice(before === 0 ? 0 : before + 1, bare === text ? undefined : -1);
  }
}

function* pieces(text: string, size: number): Generator<string> {
  for (let at = 0; at < text.length; at += size) {
    const piece = text.slice(at, at + size);
    if (piece.length >= shortest) yield piece;
  }
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
