import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeDurably } from './durable.ts';
import { fillDisk, mountSmallDisk } from './testing/small-disk.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-durable-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test.each([true, false])('replaces a file whole (survives: %s)', (survives) => {
  const file = join(temporaryFolder(), 'state.json');
  writeDurably(file, 'old', survives);
  writeDurably(file, 'new', survives);
  expect(readFileSync(file, 'utf8')).toBe('new');
});

test('a disk that gets full in the middle leaves the old text', (context) => {
  const folder = temporaryFolder();
  const unmount = mountSmallDisk(context, folder, '64k');
  const file = join(folder, 'state.json');
  writeFileSync(file, 'old');
  fillDisk(folder, 1);
  try {
    expect(() => writeDurably(file, 'n'.repeat(10_000))).toThrow('ENOSPC');
    expect(readFileSync(file, 'utf8')).toBe('old');
  } finally {
    unmount();
  }
});
