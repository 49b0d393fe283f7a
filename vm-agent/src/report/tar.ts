import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Masker } from '../output/mask.ts';
import { padding, tarEnd, tarHeader } from './header.ts';

const chunkSize = 256 * 1024;

/**
 * The folder as a tar archive whose root entry is `root`, piece by piece. Files may change meanwhile: each has exactly the size
 * that its header says, cut off or filled up with zeros. Sockets, pipes and devices are left out; so is what cannot be read.
 * Secrets in text files become asterisks, as many as they had bytes.
 */
export async function* tarOf(folder: string, root: string, masker: Masker): AsyncGenerator<Buffer> {
  yield* entryOf(folder, root, masker);
  yield tarEnd;
}

async function* entryOf(path: string, name: string, masker: Masker): AsyncGenerator<Buffer> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats) return;
  const common = { mode: stats.mode, uid: stats.uid, gid: stats.gid, mtime: stats.mtimeMs / 1000 };
  if (stats.isDirectory()) {
    yield tarHeader({ ...common, name: `${name}/`, type: 'folder', size: 0 });
    const names = await readdir(path).catch(() => []);
    for (const child of names.sort()) yield* entryOf(join(path, child), `${name}/${child}`, masker);
  } else if (stats.isSymbolicLink()) {
    const target = await readlink(path).catch(() => undefined);
    if (target !== undefined) yield tarHeader({ ...common, name, type: 'link', size: 0, target });
  } else if (stats.isFile()) {
    const handle = await open(path, 'r').catch(() => undefined);
    if (!handle) return;
    try {
      yield tarHeader({ ...common, name, type: 'file', size: stats.size });
      yield* contentOf(handle, stats, masker);
    } finally {
      await handle.close();
    }
  }
}

async function* contentOf(handle: FileHandle, { size }: Stats, masker: Masker): AsyncGenerator<Buffer> {
  let at = 0;
  let masks = !masker.empty;
  /** Bytes before `at` in which a secret may have begun. */
  let before: Buffer = Buffer.alloc(0);
  while (at < size) {
    // Looks further than it yields: a secret may lie across the border.
    const wanted = Math.min(size - at, chunkSize);
    const ahead = masks ? masker.longest : 0;
    const buffer = Buffer.allocUnsafe(wanted + ahead);
    const read = await fill(handle, buffer, at);
    if (at === 0 && buffer.subarray(0, Math.min(read, 8192)).includes(0)) masks = false;
    buffer.fill(0, Math.min(read, wanted), wanted);
    const piece = buffer.subarray(0, wanted);
    if (masks) {
      const raw = Buffer.concat([before, buffer.subarray(0, read)]);
      const start = before.length;
      before = Buffer.from(raw.subarray(Math.max(0, start + wanted - masker.longest), start + wanted));
      for (const [from, to] of masker.ranges(raw.toString('latin1'))) if (to > start) piece.fill('*', Math.max(0, from - start), Math.min(wanted, to - start));
    }
    yield piece;
    at += wanted;
  }
  yield padding(size);
}

/** @returns how many bytes there were */
async function fill(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
