import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replace a file so that after a crash it holds either the old or the new text, never a part. Synchronous on purpose: what is
 * written here is small, and nothing may happen between the decision and its record.
 * @param survives whether it has to outlive a crash of the host; else it outlives that of the agent, without waiting for the disk
 */
export function writeDurably(file: string, text: string, survives = true): void {
  const fresh = `${file}.new`;
  const fd = openSync(fresh, 'w', 0o600);
  try {
    writeSync(fd, text);
    if (survives) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
  if (!survives) return;
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
