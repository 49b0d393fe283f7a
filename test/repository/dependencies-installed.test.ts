import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findNode, whyInstall } from '../../scripts/with-dependencies.mjs';
import { repository } from './tracked-files.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paceline-install-'));
  mkdirSync(join(folder, 'node_modules'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const wanted = {
  '': { name: 'paceline' },
  'packages/a': { version: '1.0.0' },
  'node_modules/@paceline/a': { resolved: 'packages/a', link: true },
  'node_modules/zod': { version: '4.0.0', integrity: 'sha512-new' },
  'node_modules/for-another-system': { version: '1.0.0', optional: true, os: ['none'], cpu: [process.arch] },
};

function lock(name: string, packages: object): void {
  writeFileSync(join(folder, name), JSON.stringify({ packages }));
}

test('nothing is installed in a clone, nor after an interrupted installation', () => {
  lock('package-lock.json', wanted);
  expect(whyInstall(folder)).toMatchInlineSnapshot(`"the packages that this repository uses are not installed yet"`);
});

test('what the lock file wants is compared with what npm has noted', () => {
  lock('package-lock.json', wanted);
  lock('node_modules/.package-lock.json', { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-new' } });
  expect(whyInstall(folder)).toMatchInlineSnapshot(`"node_modules/@paceline/a is not linked"`);
  mkdirSync(join(folder, 'node_modules/@paceline/a'), { recursive: true });
  expect(whyInstall(folder)).toBeUndefined();
  lock('node_modules/.package-lock.json', { 'node_modules/zod': { version: '3.0.0', integrity: 'sha512-old' } });
  expect(whyInstall(folder)).toMatchInlineSnapshot(`"zod is not of version 4.0.0"`);
  lock('node_modules/.package-lock.json', {});
  expect(whyInstall(folder)).toMatchInlineSnapshot(`"zod is not installed"`);
});

test('what is optional is wanted where it runs: npm on an old Node leaves it out', () => {
  lock('package-lock.json', {
    'node_modules/native': { version: '1.0.0', optional: true, os: process.platform, cpu: ['!none', process.arch] },
  });
  lock('node_modules/.package-lock.json', {});
  expect(whyInstall(folder)).toMatchInlineSnapshot(`"native is not installed"`);
});

test('this very run has what it needs', () => {
  expect(whyInstall(repository)).toBeUndefined();
  expect(findNode(repository)).toBeTruthy();
});
