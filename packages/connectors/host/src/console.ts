import { open } from 'node:fs/promises';

const chunkBytes = 256 * 1024;

/** Reads text from the byte `since` on, at most 256 KiB of it, never half a character. */
export async function readConsole(path: string, since: number): Promise<{ text: string; next: number }> {
  await using file = await open(path);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, since);
  const whole = wholeCharacters(buffer.subarray(0, bytesRead));
  return { text: whole.toString('utf8'), next: since + whole.length };
}

/** The last line that says something; it usually says why a script failed. */
export async function lastLine(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const length = Math.min(size, 4096);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  const lines = buffer.toString('utf8').split('\n');
  return lines.findLast((line) => line.trim() !== '')?.trim() ?? '';
}

/** Leaves off a UTF-8 character that is still being written. */
export function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? bytes.subarray(0, bytes.length - back) : bytes;
    }
    if (byte < 0x80) {
      return bytes;
    }
  }
  return bytes;
}
