import { type Masker, hideBetween } from './mask.ts';

export interface Piece {
  /** Bytes of the file that the text stands for. */
  bytes: number;
  text: string;
}

/**
 * Cuts what was read into a piece that may be sent: not within a character, and not where a secret may have begun whose end is
 * not there yet.
 * @param bytes what stands in the file before `start` (as far as a secret could reach) and what was read from there on
 * @param final nothing will follow: send all
 */
export function nextPiece(bytes: Buffer, start: number, masker: Masker, final: boolean): Piece {
  const binary = masker.empty ? '' : bytes.toString('latin1');
  let end = bytes.length;
  if (!final) {
    end = wholeCharacters(bytes, start);
    if (binary) end = Math.max(start, Math.min(end, masker.safeEnd(binary)));
  }
  return { bytes: end - start, text: hideBetween(bytes, binary ? masker.ranges(binary) : [], start, end) };
}

/** The end of the last character that is complete; bytes that are no UTF-8 at all count as complete. */
export function wholeCharacters(bytes: Buffer, start: number): number {
  for (let at = bytes.length - 1; at >= start && at >= bytes.length - 3; at--) {
    const byte = bytes[at]!;
    if (byte < 0x80 || byte > 0xf7) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return at + length > bytes.length ? at : bytes.length;
  }
  return bytes.length;
}
