import { mkdir } from 'node:fs/promises';
import { extract, Parser, type ReadEntry } from 'tar';
import { PacelineError } from '@paceline/model';
import { harmlessLine } from '@paceline/door';

/** Reports come from machines that nobody has to trust: what they unpack to is limited. */
const limits = { entries: 100_000, bytes: 16 * 1024 ** 3 };

export interface ArchiveEntry {
  type: string;
  path: string;
  bytes: number;
}

/** What is in a report, from its bytes; nothing is written anywhere. @throws PACELINE_REPORT_CORRUPT */
export async function listArchive(name: string, bytes: AsyncIterable<Uint8Array>): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry: ReadEntry) => {
      entries.push({ type: entry.type, path: harmlessLine(entry.path), bytes: entry.size });
      entry.resume();
    },
  });
  const done = new Promise<void>((resolve, reject) => {
    parser.on('end', resolve);
    parser.on('error', reject);
  });
  done.catch(() => {});
  try {
    for await (const chunk of bytes) {
      if (!parser.write(Buffer.from(chunk))) await new Promise<void>((resolve) => parser.once('drain', resolve));
      if (entries.length > limits.entries) break;
    }
    parser.end();
    await done;
  } catch (cause) {
    throw new PacelineError(
      'PACELINE_REPORT_CORRUPT',
      `The report ${name} is not an archive that can be read: ${(cause as Error).message}`,
      { cause },
    );
  }
  return entries;
}

/**
 * Unpacks a report: regular files and folders below the folder, with plain permissions. Links, devices and paths that lead out
 * are left where they are.
 * @returns the paths that were left out
 * @throws PACELINE_TOO_LARGE
 */
export async function extractArchive(path: string, folder: string): Promise<string[]> {
  const skipped: string[] = [];
  let entries = 0;
  let bytes = 0;
  await mkdir(folder, { recursive: true });
  await extract({
    file: path,
    cwd: folder,
    strict: false,
    preservePaths: false,
    noChmod: true,
    noMtime: false,
    preserveOwner: false,
    filter: (name, entry) => {
      if (!('type' in entry)) return false;
      entries += 1;
      bytes += entry.size;
      if (entries > limits.entries || bytes > limits.bytes)
        throw new PacelineError('PACELINE_TOO_LARGE', `${path} unpacks to more than can be right`);
      const plain = entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'ContiguousFile' || entry.type === 'Directory';
      // oxlint-disable-next-line no-control-regex -- control characters are what this is about
      const inside = !name.startsWith('/') && !name.split(/[/\\]/).includes('..') && !/[\u0000-\u001f\u007f-\u009f]/.test(name);
      if (!plain || !inside) {
        skipped.push(harmlessLine(name));
        return false;
      }
      entry.mode = entry.type === 'Directory' ? 0o755 : 0o644;
      return true;
    },
  });
  return skipped;
}
