import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findNodeRuntime } from './node-runtime.ts';

test.skipIf(process.platform !== 'linux')('the digest of the runtime is worked out once, until the file changes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-runtime-'));
  const [note, path] = [join(folder, 'note'), join(folder, 'node')];
  writeFileSync(path, 'one');
  const first = await findNodeRuntime(note, path);
  expect(first).toEqual({
    path,
    machine: expect.stringMatching(/x86_64|aarch64/),
    sha256: createHash('sha256').update('one').digest('hex'),
  });
  writeFileSync(note, readFileSync(note, 'utf8').replace(/"sha256":"\w+"/, '"sha256":"noted"'));
  expect((await findNodeRuntime(note, path))?.sha256).toBe('noted');
  writeFileSync(path, 'another');
  expect((await findNodeRuntime(note, path))?.sha256).toBe(createHash('sha256').update('another').digest('hex'));
});
