import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, stat, statfs, symlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ReportFiles } from './report-files.ts';

const run = 'a1b2c3d4-0000-4000-8000-000000000000';
const name = 'client.1_report_2012-01-19T203527Z.tgz';
let root = '';
let files: ReportFiles;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'paceline-reports-'));
  files = new ReportFiles(root, 1024 * 1024);
});

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const content = randomBytes(300_000);
const whole = { offset: 0, size: content.length, sha256: sha256(content) };

describe('a report', () => {
  it('arrives in parts, each going on where the last one was cut', async () => {
    expect(await files.append(run, name, whole, Readable.from([content.subarray(0, 1000)]))).toEqual({ received: 1000, complete: false });
    expect(await files.progress(run, name)).toEqual({ received: 1000, complete: false });
    expect(await files.append(run, name, { ...whole, offset: 1000 }, Readable.from([content.subarray(1000)]))).toEqual({
      received: content.length,
      complete: true,
    });
    expect(await buffer(files.open(run, name))).toEqual(content);
  });

  it('is on disk with its name before it counts as complete', async () => {
    const steps: string[] = [];
    const names = new Map<number, string>();
    const handle = await open(root);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const spy = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
      await this.datasync();
      const isRenamed = (await files.progress(run, name)).complete;
      steps.push(`${names.get((await this.stat()).ino) ?? 'report'}${isRenamed ? ' after its renaming' : ''}`);
    });
    try {
      names.set((await stat(root)).ino, 'root');
      await files.append(run, name, whole, Readable.from([content.subarray(0, 1000)]));
      names.set((await stat(join(root, run))).ino, 'folder');
      await files.append(run, name, { ...whole, offset: 1000 }, Readable.from([content.subarray(1000)]));
      expect(steps).toEqual(['root', 'report', 'folder after its renaming', 'root after its renaming']);
      steps.length = 0;
      await files.append(run, name, whole, Readable.from([]));
      expect(steps).toContain('folder after its renaming');
    } finally {
      spy.mockRestore();
    }
  });

  it('is not taken twice', async () => {
    await files.append(run, name, whole, Readable.from([content]));
    expect(await files.append(run, name, whole, Readable.from(['something else']))).toEqual({ received: content.length, complete: true });
    expect(await buffer(files.open(run, name))).toEqual(content);
  });

  it('is refused with a gap, and the sender is told where to go on', async () => {
    await expect(files.append(run, name, { ...whole, offset: 5 }, Readable.from([]))).rejects.toMatchObject({
      code: 'PACELINE_CONFLICT',
      data: { received: 0 },
    });
  });

  it('is thrown away when it does not have its checksum', async () => {
    const wrong = { ...whole, sha256: sha256(Buffer.from('x')) };
    await expect(files.append(run, name, wrong, Readable.from([content]))).rejects.toMatchObject({ code: 'PACELINE_REPORT_CORRUPT' });
    expect(await files.progress(run, name)).toEqual({ received: 0, complete: false });
  });

  it('is refused when it is too large, or longer than announced', async () => {
    await expect(files.append(run, name, { ...whole, size: 2 * 1024 * 1024 }, Readable.from([]))).rejects.toMatchObject({
      code: 'PACELINE_TOO_LARGE',
    });
    await expect(files.append(run, name, { ...whole, size: 10 }, Readable.from([content]))).rejects.toMatchObject({
      code: 'PACELINE_REQUEST_INVALID',
    });
  });

  it('is refused when its instance has sent enough, whole or not; others are not', async () => {
    const named = (instance: string, second: number) => `${instance}_report_2012-01-19T2035${second}Z.tgz`;
    await files.append(run, named('client.1', 11), whole, Readable.from([content]));
    await files.append(run, named('client.1', 12), whole, Readable.from([content]));
    await files.append(run, named('client.1', 13), whole, Readable.from([content.subarray(0, 200_000)]));
    await expect(files.append(run, named('client.1', 14), whole, Readable.from([content]))).rejects.toMatchObject({
      code: 'PACELINE_TOO_LARGE',
      message: expect.stringContaining('has 300000 bytes, and client.1 has sent 3 with 800000 bytes before; at most'),
    });
    const rest = { ...whole, offset: 200_000 };
    expect(await files.append(run, named('client.1', 13), rest, Readable.from([content.subarray(200_000)]))).toMatchObject({
      complete: true,
    });
    expect(await files.append(run, named('client.11', 14), whole, Readable.from([content]))).toMatchObject({ complete: true });
  });

  it('is refused when there are very many of its instance, however small', async () => {
    const empty = { offset: 0, size: 0, sha256: sha256(Buffer.alloc(0)) };
    const send = (index: number) => files.append(run, `client.1_report_2012-01-19T${100000 + index}Z.tgz`, empty, Readable.from([]));
    for (let index = 0; index < 100; index += 1) await send(index);
    await expect(send(100)).rejects.toMatchObject({ code: 'PACELINE_TOO_LARGE' });
  });

  it('takes no more of an instance when many are sent at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `client.1_report_2012-01-19T2035${10 + index}Z.tgz`);
    const bodies = names.map(() => new PassThrough());
    const sent = names.map((each, index) => files.append(run, each, whole, bodies[index] ?? new PassThrough()));
    for (const body of bodies) body.end(content);
    expect((await Promise.allSettled(sent)).filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of names) await files.append(run, each, whole, Readable.from([content])).catch(() => {});
    const stored = await Promise.all((await readdir(join(root, run))).map((file) => stat(join(root, run, file))));
    expect(stored.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(1024 * 1024);
  });

  it('goes on when it is sent again while its first connection hangs', async () => {
    const hanging = new PassThrough();
    const first = files.append(run, name, whole, hanging);
    hanging.write(content.subarray(0, 1000));
    await vi.waitFor(async () => expect(await files.progress(run, name)).toMatchObject({ received: 1000 }));
    const second = files.append(run, name, { ...whole, offset: 1000 }, Readable.from([content.subarray(1000)]));
    await expect(first).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
    expect(hanging.destroyed).toBe(true);
    expect(await second).toMatchObject({ complete: true });
    expect(await buffer(files.open(run, name))).toEqual(content);
  });

  it('leaves some of the disk to others, and what was promised to those that are under way', async () => {
    const large = new ReportFiles(root, Number.MAX_SAFE_INTEGER);
    const { bavail, blocks, bsize } = await statfs(root);
    const free = bavail * bsize;
    const reserve = Math.min(1024 ** 3, (blocks * bsize) / 10);
    const part = (size: number) => ({ ...whole, size: Math.floor(size) });
    const full = { code: 'PACELINE_STORE_FULL' };
    await expect(large.append(run, name, part(free - reserve / 2), Readable.from([]))).rejects.toMatchObject(full);
    const slow = new PassThrough();
    const first = large.append(run, name, part((free - reserve) * 0.6), slow);
    slow.write('x');
    await vi.waitFor(async () => expect(await large.progress(run, name)).toMatchObject({ received: 1 }));
    const second = part((free - reserve) * 0.6);
    await expect(large.append(run, name.replace('client', 'web'), second, Readable.from([]))).rejects.toMatchObject(full);
    slow.end();
    expect(await first).toEqual({ received: 1, complete: false });
    expect(await large.append(run, name.replace('client', 'web'), second, Readable.from([]))).toEqual({ received: 0, complete: false });
  });

  it('says that the disk is full when it is', async () => {
    await mkdir(join(root, run));
    await symlink('/dev/full', join(root, run, `${name}.part`));
    const body = Readable.from([content]);
    await expect(files.append(run, name, whole, body)).rejects.toMatchObject({ code: 'PACELINE_STORE_FULL' });
    expect(body.destroyed && !body.readableEnded).toBe(false);
  });

  it.each(['../../etc/passwd', 'x/../y_report_2012-01-19T203527Z.tgz', 'client.1_report_.tgz', '', 'a'.repeat(300)])(
    'may not be named %j',
    async (bad) => {
      await expect(files.append(run, bad, whole, Readable.from([]))).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
    },
  );
});
