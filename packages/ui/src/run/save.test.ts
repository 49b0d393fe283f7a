// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from 'vitest';
import { save } from './save.ts';

const big = 64 * 1024 * 1024;

/** A file on a disk that takes a while. */
function disk(): { written: string[]; ended: string[]; pick: () => Promise<unknown> } {
  const [written, ended]: [string[], string[]] = [[], []];
  const sink = {
    write: async (piece: Uint8Array) => void written.push(new TextDecoder().decode(piece)),
    close: async () => void ended.push('closed'),
    abort: async () => void ended.push('thrown away'),
  };
  return { written, ended, pick: async () => ({ createWritable: async () => sink }) };
}

async function* pieces(written: readonly string[], failing = false): AsyncGenerator<Uint8Array> {
  for (const text of ['one', 'two', 'three']) {
    yield new TextEncoder().encode(text);
    // Nothing is gathered: a piece is on the disk before the next one is asked for.
    expect(written.at(-1)).toBe(text);
  }
  if (failing) throw new Error('the link is cut');
}

afterEach(() => vi.unstubAllGlobals());

it('writes a big file to the disk as it comes', async () => {
  const { written, ended, pick } = disk();
  vi.stubGlobal('showSaveFilePicker', pick);
  await save('report.tgz', big, pieces(written));
  expect([written, ended]).toEqual([['one', 'two', 'three'], ['closed']]);
});

it('leaves no half of a file', async () => {
  const { written, ended, pick } = disk();
  vi.stubGlobal('showSaveFilePicker', pick);
  await expect(save('report.tgz', big, pieces(written, true))).rejects.toThrow('the link is cut');
  expect(ended).toEqual(['thrown away']);
});

it('asks for nothing when the user has thought better of it', async () => {
  const asked = vi.fn<() => AsyncIterator<Uint8Array>>();
  vi.stubGlobal('showSaveFilePicker', () => Promise.reject(new DOMException('no', 'AbortError')));
  await save('report.tgz', big, { [Symbol.asyncIterator]: asked });
  expect(asked).not.toHaveBeenCalled();
});
