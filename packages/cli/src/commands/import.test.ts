import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';

const xml = `<imageModule category="Image" shortName="web" parentUri="module/shop" platform="debian">
  <targets><target name="execute">#!/bin/sh
true
</target></targets></imageModule>`;

test('SlipStream modules become files, nothing is overwritten, and come back as XML', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-import-'));
  await writeFile(join(folder, 'web.xml'), xml);
  const into = join(folder, 'modules');
  const shell = recorder();
  expect(await importCommand([folder], { into }, shell)).toBe(0);
  expect(await readFile(join(into, 'shop/web/deploy.sh'), 'utf8')).toBe('#!/bin/sh\ntrue\n');
  expect((await stat(join(into, 'shop/web/deploy.sh'))).mode & 0o111).not.toBe(0);
  expect(shell.err()).toBe('Not mapped:\n  shop/web: @platform = debian\n');
  await expect(importCommand([join(folder, 'web.xml')], { into }, shell)).rejects.toThrow('would be overwritten');
  expect(await importCommand([join(folder, 'web.xml')], { into, force: true, json: true }, shell)).toBe(0);

  const xmlFolder = { into: join(folder, 'xml') };
  expect(await exportCommand([join(into, 'shop/web')], xmlFolder, recorder())).toBe(0);
  expect(await readFile(join(folder, 'xml/shop/web.xml'), 'utf8')).toContain('<target name="execute">#!/bin/sh\ntrue\n</target>');
  await writeFile(join(folder, 'xml/shop/web.xml'), 'dear to somebody');
  await expect(exportCommand([join(into, 'shop/web')], xmlFolder, shell)).rejects.toMatchObject({
    code: 'PACELINE_CONFLICT',
    message: 'shop/web.xml would be overwritten',
  });
  expect(await readFile(join(folder, 'xml/shop/web.xml'), 'utf8')).toBe('dear to somebody');
  expect(await exportCommand([join(into, 'shop/web')], { ...xmlFolder, force: true }, recorder())).toBe(0);
  expect(await readFile(join(folder, 'xml/shop/web.xml'), 'utf8')).toContain('<imageModule');
});

test('files of old servers are read in the encoding that they say', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-import-'));
  const text = `<?xml version="1.0" encoding="ISO-8859-1"?><imageModule shortName="web" description="Démonstration"/>`;
  await writeFile(join(folder, 'web.xml'), text, 'latin1');
  expect(await importCommand([join(folder, 'web.xml')], { into: folder }, recorder())).toBe(0);
  expect(await readFile(join(folder, 'web/image.yaml'), 'utf8')).toContain('description: Démonstration\n');
});

test('what is not there, or holds no XML, is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-import-'));
  await expect(importCommand([join(folder, 'none.xml')], { into: folder }, recorder())).rejects.toThrow('There is no file');
  await expect(importCommand([folder], { into: folder }, recorder())).rejects.toThrow('There is no XML');
});
