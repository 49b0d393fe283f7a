import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context } from '@paceline/connector-host/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { createOverlay } from './disk.ts';
import { formatOf } from './disk-format.ts';
import { findProgram } from './command.ts';
import { imageNow, resolveImage } from './image.ts';
import { openSite, type Site } from './site.ts';

const why = (await findProgram('qemu-img')) === undefined ? 'there is no qemu-img: apt-get install qemu-utils' : undefined;

describe.skipIf(why !== undefined)(`images${why === undefined ? '' : ` (${why})`}`, () => {
  let folder: string;
  let secret: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paceline images-'));
    secret = join(folder, 'engine.key');
    await writeFile(secret, 'nobody is to read this\n'.padEnd(1024 * 1024));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const site = (settings: Record<string, unknown> = {}): Promise<Site> =>
    openSite(configSchema.parse({ root: join(folder, 'root'), ...settings }), true);
  const make = (name: string, ...options: string[]): string => {
    const path = join(folder, name);
    execFileSync('qemu-img', ['create', '-q', ...options, path, '1M']);
    return path;
  };

  test('a module cannot name a file of the host, and the configuration can', async () => {
    const disk = make('disk.qcow2', '-f', 'qcow2');
    await expect(resolveImage(await site({ image: disk }), secret, context.signal)).rejects.toMatchObject({
      code: 'invalid',
      message: `A module cannot name a file of this host as its image: ${secret}`,
    });
    await expect(resolveImage(await site(), '/nowhere', context.signal)).rejects.toMatchObject({ code: 'invalid' });
    expect(await resolveImage(await site({ image: disk }), '', context.signal)).toEqual({ disk, format: 'qcow2' });
    const configured = await site({ images: { plain: { disk: secret, login: 'me' } } });
    expect(await resolveImage(configured, 'plain', context.signal)).toEqual({ disk: secret, format: 'raw', login: 'me' });
  });

  test('an image is another once its disk is', async () => {
    const here = await site({ image: make('disk.qcow2', '-f', 'qcow2') });
    const before = await imageNow(here, '', context.signal);
    expect(await imageNow(here, '', context.signal)).toBe(before);
    make('disk.qcow2', '-f', 'qcow2', '-o', 'cluster_size=4k');
    expect(await imageNow(here, '', context.signal)).not.toBe(before);
    await expect(imageNow(here, 'nowhere', context.signal)).rejects.toMatchObject({ code: 'notFound' });
  });

  test.each<[string, (secret: string) => string[], string]>([
    ['a backing file', (file) => ['-f', 'qcow2', '-b', file, '-F', 'raw'], 'stands on another file'],
    ['a data file', (file) => ['-f', 'qcow2', '-o', `data_file=${file}.data,data_file_raw=on`], 'has its data in another file'],
    ['parts', () => ['-f', 'vmdk', '-o', 'subformat=monolithicFlat'], 'is VMDK'],
  ])('a disk with %s is refused, wherever it comes from', async (_what, options, said) => {
    const disk = make('disk', ...options(secret));
    const refusal = { code: 'invalid', message: expect.stringContaining(said) };
    await expect(resolveImage(await site({ image: disk }), '', context.signal)).rejects.toMatchObject(refusal);
    await expect(resolveImage(await site({ images: { named: { disk } } }), 'named', context.signal)).rejects.toMatchObject(refusal);
    const { images } = await site();
    await mkdir(join(images, 'made'));
    await writeFile(join(images, 'made', 'image.json'), JSON.stringify({ disk }));
    await expect(resolveImage(await site(), 'made', context.signal)).rejects.toMatchObject(refusal);

    const bytes = await readFile(disk);
    await using server = createServer((_request, response) => response.end(bytes));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/disk`;
    const named = `${url}#sha256=${createHash('sha256').update(bytes).digest('hex')}`;
    // Twice: what was fetched is not trusted the second time.
    for (let time = 1; time <= 2; time++) {
      await expect(resolveImage(await site(), named, context.signal)).rejects.toMatchObject(refusal);
    }
  });

  test('what pretends to be qcow2 is refused, and a raw disk stays raw', async () => {
    const disk = join(folder, 'disk');
    await writeFile(disk, Buffer.concat([Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'), Buffer.alloc(200)]));
    await expect(resolveImage(await site({ image: disk }), '', context.signal)).rejects.toThrow('cannot be read as qcow2');
    const overlay = join(folder, 'overlay');
    await createOverlay(overlay, { disk: secret, format: 'raw' }, 1);
    const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', overlay], { encoding: 'utf8' }));
    expect(info).toMatchObject({ 'backing-filename-format': 'raw', 'virtual-size': 1024 ** 3 });
  });
});

test.each(['KDMV', '# Disk DescriptorFile\n', 'vhdxfile', 'QED\0', 'QFI\xfb\0\0\0\x01'])('a header %j is refused', (magic) => {
  expect(() => formatOf(Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(80)]), 'x')).toThrow('The disk of the image x');
});
