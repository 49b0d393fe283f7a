import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeHostKey } from './host-key.ts';

const { signal } = new AbortController();

test('the host key goes to the program, which says what is wrong, and is not waited for without end', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'paceline-host-key-'));
  const program = join(folder.path, 'take-host-key');
  writeFileSync(program, 'cat >"$0.taken"');
  await takeHostKey(program, 'the key', signal);
  expect(readFileSync(`${program}.taken`, 'utf8')).toBe('the key');
  // It does not read, and the key is longer than what a pipe holds.
  writeFileSync(program, 'echo no room >&2; exit 1');
  await expect(takeHostKey(program, 'x'.repeat(1_000_000), signal)).rejects.toThrow('no room');
  await expect(takeHostKey(`${program}.none`, 'the key', signal)).rejects.toThrow('.none');
  // What it has begun holds its output open for longer.
  writeFileSync(program, 'sleep 20');
  await expect(takeHostKey(program, 'the key', signal, 50)).rejects.toThrow('took too long');
  await expect(takeHostKey(program, 'the key', AbortSignal.abort())).rejects.toThrow('aborted');
});
