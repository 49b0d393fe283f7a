import { type Stats, closeSync, lstatSync, openSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Masker } from '../output/mask.ts';
import { padding, tarEnd, tarHeader } from './header.ts';
import { ring } from './ring.ts';
import { tried } from '../tried.ts';

const chunkSize = 64 * 1024;

interface Reading {
  masker: Masker;
  /** By the path in the archive. */
  isMasked: (name: string) => boolean;
  /** How far a secret may reach over the border of a chunk, in bytes. */
  reach: number;
  next: () => Buffer;
}

/**
 * The folder as a tar archive whose root entry is `root`, piece by piece; a piece is good until some later ones have been taken.
 * Files may change meanwhile: each has exactly the size that its header says, cut off or filled up with zeros. Sockets, pipes
 * and devices are left out; so is what cannot be read. In the files that `isMasked` names, secrets become asterisks, as many as
 * they had bytes.
 */
export function* tarOf(folder: string, root: string, masker: Masker, isMasked: (name: string) => boolean): Generator<Buffer> {
  const reach = masker.longest;
  yield* entryOf(folder, root, { masker, isMasked, reach, next: ring(chunkSize + reach) });
  yield tarEnd;
}

function* entryOf(path: string, name: string, reading: Reading): Generator<Buffer> {
  const stats = tried(() => lstatSync(path));
  if (!stats) return;
  const common = { mode: stats.mode, uid: stats.uid, gid: stats.gid, mtime: stats.mtimeMs / 1000 };
  if (stats.isDirectory()) {
    yield tarHeader({ ...common, name: `${name}/`, type: 'folder', size: 0 });
    const names = tried(() => readdirSync(path)) ?? [];
    // By character codes: the same folder gives the same archive anywhere.
    for (const child of names.sort((a, b) => (a < b ? -1 : 1))) yield* entryOf(join(path, child), `${name}/${child}`, reading);
  } else if (stats.isSymbolicLink()) {
    const target = tried(() => readlinkSync(path));
    if (target !== undefined) yield tarHeader({ ...common, name, type: 'link', size: 0, target });
  } else if (stats.isFile()) {
    const fd = tried(() => openSync(path, 'r'));
    if (fd === undefined) return;
    try {
      yield tarHeader({ ...common, name, type: 'file', size: stats.size });
      yield* contentOf(fd, stats, reading, reading.isMasked(name));
    } finally {
      closeSync(fd);
    }
  }
}

function* contentOf(fd: number, { size }: Stats, { masker, reach, next }: Reading, masked: boolean): Generator<Buffer> {
  let masks = masked && reach > 0;
  /** Bytes before `at` in which a secret may have begun. */
  let before: Buffer = Buffer.alloc(0);
  for (let at = 0; at < size; at += chunkSize) {
    // Looks further than it yields: a secret may lie across the border.
    const buffer = next();
    const wanted = Math.min(size - at, chunkSize);
    const read = fill(fd, buffer.subarray(0, wanted + (masks ? reach : 0)), at);
    if (at === 0 && buffer.subarray(0, Math.min(read, 8192)).includes(0)) masks = false;
    const piece = buffer.subarray(0, wanted).fill(0, Math.min(read, wanted));
    if (masks) {
      const start = before.length;
      const raw = Buffer.concat([before, buffer.subarray(0, read)]);
      before = raw.subarray(Math.max(0, start + wanted - reach), start + wanted);
      for (const [from, to] of masker.ranges(raw.toString('latin1')))
        if (to > start) piece.fill('*', Math.max(0, from - start), Math.min(wanted, to - start));
    }
    // Of pieces that do not fill a chunk the compression holds more at once than there are buffers.
    yield wanted < chunkSize ? Buffer.from(piece) : piece;
  }
  yield padding(size);
}

/** @returns how many bytes there were */
function fill(fd: number, buffer: Buffer, position: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
