import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Masker } from '../output/mask.ts';
import { tarHeader } from './header.ts';
import { reportName, spool } from './spool.ts';
import { tarOf } from './tar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paceline-tar-'));
  mkdirSync(join(folder, 'in'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, 'in', name);
const tar = (...args: string[]): string => execFileSync('tar', args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });

async function archive(masker = new Masker(), onChunk = (_count: number): void => {}): Promise<string> {
  const chunks: Buffer[] = [];
  for (const chunk of tarOf(join(folder, 'in'), 'root', masker, (name) => name !== 'root/theirs')) {
    chunks.push(Buffer.from(chunk));
    onChunk(chunks.length);
  }
  const file = join(folder, 'out.tar');
  writeFileSync(file, Buffer.concat(chunks));
  return file;
}

describe('the header', () => {
  test('by its bytes', () => {
    const header = tarHeader({ name: 'a/b', type: 'file', mode: 0o100644, uid: 1000, gid: 100, size: 5, mtime: 1_700_000_000.9 });
    expect(header).toHaveLength(512);
    const fields: [number, number][] = [
      [0, 8],
      [100, 8],
      [108, 8],
      [116, 8],
      [124, 12],
      [136, 12],
      [148, 8],
      [156, 1],
      [257, 8],
    ];
    expect(fields.map(([from, size]) => header.toString('latin1', from, from + size))).toEqual([
      'a/b\0\0\0\0\0',
      '0000644\0',
      '0001750\0',
      '0000144\0',
      '00000000005\0',
      '14524770400\0',
      '006414\0 ',
      '0',
      'ustar\x0000',
    ]);
  });

  test('what ustar cannot hold goes before it as pax', () => {
    const name = 'n'.repeat(150);
    const header = tarHeader({ name, type: 'file', mode: 0o644, uid: 5_000_000, gid: 0, size: 2 ** 34, mtime: 0 });
    expect(header).toHaveLength(3 * 512);
    expect(header.toString('latin1', 512, 512 + 200).replace(/\0+$/, '')).toBe(`160 path=${name}\n20 size=17179869184\n15 uid=5000000\n`);
  });
});

test('tar reads it: names, kinds, modes, times, links', async () => {
  mkdirSync(at('sub'));
  writeFileSync(at('sub/empty'), '');
  writeFileSync(at('block'), 'x'.repeat(512));
  writeFileSync(at('ä ö'), 'hello');
  chmodSync(at('block'), 0o750);
  const long = `${'d'.repeat(120)}`;
  mkdirSync(at(long));
  writeFileSync(at(`${long}/${'f'.repeat(200)}`), 'deep');
  symlinkSync(`/${'t'.repeat(150)}`, at('link'));
  execFileSync('mkfifo', [at('fifo')]);
  const socket = createServer().listen(at('socket'));
  for (const name of ['sub/empty', 'block', 'ä ö']) utimesSync(at(name), 1_700_000_000, 1_700_000_000);
  const file = await archive();
  socket.close();
  expect(tar('-tf', file, '--quoting-style=literal').trim().split('\n')).toEqual([
    'root/',
    'root/block',
    `root/${long}/`,
    `root/${long}/${'f'.repeat(200)}`,
    'root/link',
    'root/sub/',
    'root/sub/empty',
    'root/ä ö',
  ]);
  const lines = tar('-tvf', file, '--numeric-owner');
  expect(lines).toContain('-rwxr-x--- 0/0             512 2023-11-14 22:13 root/block');
  expect(lines).toContain(`root/link -> /${'t'.repeat(150)}`);
  expect(tar('-xOf', file, `root/${long}/${'f'.repeat(200)}`)).toBe('deep');
  expect(readFileSync(file).length % 512).toBe(0);
});

test('a file that grows or shrinks meanwhile has the size that its header says', async () => {
  writeFileSync(at('grows'), 'a'.repeat(600_000));
  writeFileSync(at('shrinks'), 'b'.repeat(600_000));
  writeFileSync(at('z'), 'end');
  const file = await archive(new Masker(), (count) => {
    // Headers, ten chunks and the padding of each: both files are being read by then.
    if (count === 5) appendFileSync(at('grows'), 'a'.repeat(1000));
    if (count === 18) truncateSync(at('shrinks'), 100);
  });
  expect(tar('-tvf', file)).toMatch(/ 600000 .* root\/grows\n.* 600000 .* root\/shrinks\n/);
  expect(tar('-xOf', file, 'root/grows') === 'a'.repeat(600_000)).toBe(true);
  expect(tar('-xOf', file, 'root/shrinks')).toMatch(/^b+\0+$/);
  expect(tar('-xOf', file, 'root/z')).toBe('end');
});

test('secrets become asterisks, across the borders of chunks too, but not in binary files, nor where they are left alone', async () => {
  const masker = new Masker();
  masker.add('secret-value');
  const text = `${'.'.repeat(64 * 1024 - 5)}secret-value${'.'.repeat(1000)}secret-value`;
  writeFileSync(at('text'), text);
  writeFileSync(at('binary'), `\0secret-value`);
  writeFileSync(at('theirs'), 'secret-value');
  const file = await archive(masker);
  expect(tar('-xOf', file, 'root/text') === text.replaceAll('secret-value', '*'.repeat(12))).toBe(true);
  expect(tar('-xOf', file, 'root/binary')).toBe('\0secret-value');
  expect(tar('-xOf', file, 'root/theirs')).toBe('secret-value');
});

test('a spooled report is a gzip that tar reads, with the size and digest that are told', async () => {
  writeFileSync(at('x'), 'x'.repeat(1_000_000));
  const file = join(folder, 'out.tgz');
  const { size, sha256 } = await spool(
    tarOf(join(folder, 'in'), 'root', new Masker(), () => true),
    file,
    new AbortController().signal,
  );
  expect(execFileSync('sha256sum', [file], { encoding: 'utf8' }).split(' ')[0]).toBe(sha256);
  expect(readFileSync(file)).toHaveLength(size);
  expect(tar('-tf', file)).toBe('root/\nroot/x\n');
});

test('many small files keep what is in them, however many of them the compression holds at once', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `${1000 + index}`);
  for (const name of names) writeFileSync(at(name), `${name} `);
  const file = join(folder, 'out.tgz');
  await spool(
    tarOf(join(folder, 'in'), 'root', new Masker(), () => true),
    file,
    new AbortController().signal,
  );
  expect(tar('-xOzf', file)).toBe(names.map((name) => `${name} `).join(''));
});

test('the name of a report', () => {
  expect(reportName('client.1', Date.parse('2012-01-19T20:35:27.123Z'))).toBe('client.1_report_2012-01-19T203527Z.tgz');
});
