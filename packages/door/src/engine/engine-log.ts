import { open, readFile, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const maxLogBytes = 8 * 1024 * 1024;
const shownLines = 12;

export function engineLogPath(state: string): string {
  return join(state, 'engine.log');
}

/** Opens the log of the embedded engine for writing at its end; one that has grown large becomes `engine.log.1`. */
export async function openEngineLog(state: string): Promise<FileHandle> {
  const path = engineLogPath(state);
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > maxLogBytes) await rename(path, `${path}.1`);
  return open(path, 'a', 0o600);
}

/** The last lines that an engine wrote after `from` (a size of the log in bytes). */
export async function logTail(state: string, from: number): Promise<string> {
  const bytes = await readFile(engineLogPath(state)).catch(() => Buffer.alloc(0));
  const text = bytes.subarray(Math.min(from, bytes.length)).toString('utf8').trimEnd();
  return text.split('\n').slice(-shownLines).join('\n');
}
