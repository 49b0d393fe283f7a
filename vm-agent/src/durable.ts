import { chmodSync, closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replace a file so that after a crash it holds either the old or the new text, never a part. Synchronous on purpose: what is
 * written here is small, and nothing may happen between the decision and its record.
 * @param survives whether it has to outlive a crash of the host; else it outlives that of the agent, without waiting for the disk
 */
export function writeDurably(file: string, text: string, survives = true): void {
  const fresh = `${file}.new`;
  withFile(fresh, 'w', (fd) => {
    // Unlike `writeSync` this does not stop half-way when the disk gets full.
    writeFileSync(fd, text);
    if (survives) fsyncSync(fd);
  });
  renameSync(fresh, file);
  if (survives) withFile(dirname(file), 'r', fsyncSync);
}

/** Replace a file that others may be reading or running. */
export function replaceFile(file: string, text: string, mode: number): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, text);
  chmodSync(fresh, mode);
  renameSync(fresh, file);
}

/** The file is closed whatever happens. A new one is only for us. */
export function withFile<T>(file: string, flags: string, use: (fd: number) => T): T {
  const fd = openSync(file, flags, 0o600);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
