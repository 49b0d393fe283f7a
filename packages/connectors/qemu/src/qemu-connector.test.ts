import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { context, engine, givenUpAfter, launchRequest, until } from '@paceline/connector-host/testing';
import { isConnectorError, type Resource } from '@paceline/engine/connector';
import { expect, test } from 'vitest';
import { connectorModule } from './index.ts';
import { reason, testImage } from './testing/image.ts';
import { writingDisk } from './testing/writing-guest.ts';

async function listed(root: string): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const resource of connectorModule.createConnector({ root }).list({ engine }, context)) {
    found.push(resource);
  }
  return found;
}

test('a launch on a full disk is a lack of capacity, and leaves nothing', async ({ skip }) => {
  skip(reason !== undefined, reason);
  skip(process.getuid?.() !== 0, 'only root can make a small file system');
  const root = mkdtempSync(join(tmpdir(), 'paceline-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', root]);
  try {
    const connector = connectorModule.createConnector({ root, accelerator: 'tcg', image: testImage });
    const failure = await connector.launch(launchRequest('#!/bin/sh\n', { count: 2 }), context).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'capacity', details: { hint: expect.stringContaining('disk space') } });
    const left = await listed(root);
    await connector.terminate(
      left.map(({ id }) => id),
      context,
    );
    expect(await listed(root)).toEqual([]);
  } finally {
    execFileSync('umount', [root]);
    rmSync(root, { recursive: true });
  }
});

test('a machine that fills the disk of its host is an error that says so, and goes', async ({ skip }) => {
  skip(reason !== undefined, reason);
  skip(process.getuid?.() !== 0, 'only root can make a small file system');
  const root = mkdtempSync(join(tmpdir(), 'paceline-small-'));
  const disk = join(mkdtempSync(join(tmpdir(), 'paceline-disk-')), 'disk.raw');
  writeFileSync(disk, writingDisk());
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', root]);
  const connector = connectorModule.createConnector({ root, accelerator: 'tcg', image: disk });
  try {
    const [machine] = await connector.launch(launchRequest('#!/bin/sh\n', { memoryMiB: 64 }), context);
    const id = machine?.id ?? '';
    const broken = await until(
      'it is stopped',
      async () => {
        const seen = (await connector.describe([id], context)).get(id);
        return seen?.state === 'error' && seen;
      },
      60_000,
    );
    expect(broken).toMatchObject({ fault: expect.stringContaining('the disk of this host is full'), noRoom: true });
    expect(await connector.terminate([id], context)).toEqual([{ id, gone: true }]);
    expect(await listed(root)).toEqual([]);
  } finally {
    // What still runs would keep the file system.
    for (const { id } of await listed(root)) await connector.terminate([id], context);
    execFileSync('umount', [root]);
    for (const path of [root, dirname(disk)]) rmSync(path, { recursive: true });
  }
}, 90_000);

test('machines that need more memory than there is are not even begun', async ({ skip }) => {
  skip(reason !== undefined, reason);
  const root = mkdtempSync(join(tmpdir(), 'paceline-memory-'));
  const connector = connectorModule.createConnector({ root, accelerator: 'tcg', image: testImage });
  const launch = connector.launch(launchRequest('#!/bin/sh\n', { memoryMiB: 50_000_000 }), context);
  await expect(launch).rejects.toMatchObject({ code: 'capacity', message: expect.stringContaining('MiB of memory') });
  expect(await listed(root)).toEqual([]);
});

test.each([
  { root: 'relative' },
  { root: '/a,b' },
  { root: '/x', accelerator: 'hvf' },
  { root: '/x', images: { 'A B': { disk: '/y' } } },
  { root: '/x', more: 1 },
])('a configuration such as %j is refused', (config) => {
  expect(() => connectorModule.createConnector(config)).toThrow('The configuration of a qemu cloud is wrong');
});

test('a machine that was noted and never started is started by the next launch, and nobody waits for it before', async ({ skip }) => {
  skip(reason !== undefined, reason);
  const root = mkdtempSync(join(tmpdir(), 'paceline-noted-'));
  const connector = connectorModule.createConnector({ root, accelerator: 'tcg', image: testImage });
  const request = launchRequest('#!/bin/sh\n', { memoryMiB: 256 });
  try {
    await expect(connector.launch(request, givenUpAfter(1))).rejects.toMatchObject({ code: 'timeout' });
    const [noted] = await listed(root);
    expect(noted).toMatchObject({ kind: 'machine', token: request.token });
    expect(noted?.machine).toBeUndefined();
    expect(await connector.launch(request, context)).toMatchObject([{ id: noted?.id }]);
    expect(await listed(root)).toMatchObject([{ id: noted?.id, machine: { name: 'server-1' } }]);
  } finally {
    await connector.terminate([(await listed(root))[0]?.id ?? ''], context);
    rmSync(root, { recursive: true });
  }
});

test('an image is made of a machine that runs, and that goes on', async ({ skip }) => {
  skip(reason !== undefined, reason);
  const root = mkdtempSync(join(tmpdir(), 'paceline-imaged-'));
  const connector = connectorModule.createConnector({ root, accelerator: 'tcg', image: testImage });
  try {
    const [machine] = await connector.launch(launchRequest('#!/bin/sh\n', { memoryMiB: 256 }), context);
    const id = machine?.id ?? '';
    await until('it runs', async () => (await connector.describe([id], context)).get(id)?.state === 'running', 30_000);
    const made = await until(
      'an image is made',
      async () =>
        (await connector.createImage?.(id, 'made', context).catch((error: unknown) => {
          // It has only just been started.
          if (!isConnectorError(error) || error.code !== 'unavailable') throw error;
        })) ?? false,
      60_000,
    );
    expect(made).toMatchObject({ image: 'made', id: 'made', bytes: expect.any(Number) });
    await expect(connector.createImage?.(id, 'made', context)).rejects.toMatchObject({ code: 'conflict' });
    expect((await connector.describe([id], context)).get(id)?.state).toBe('running');
    expect(await connector.resolveImage?.('made', context)).toMatch(/^[0-9a-f]{64}$/);
  } finally {
    for (const { kind, id } of await listed(root)) if (kind === 'machine') await connector.terminate([id], context);
    rmSync(root, { recursive: true });
  }
}, 120_000);
