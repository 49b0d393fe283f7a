import type { ImageView } from '@paceline/api';
import { afterEach, expect, test, vi } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { imagesCommand } from './images.ts';

afterEach(() => vi.unstubAllGlobals());

const image = (name: string, usedAt = '2025-01-01T00:00:00.000Z'): ImageView => ({
  ...{ cloud: 'lab', project: '*', digest: 'd'.repeat(64), module: 'web', image: name, run: 'r', madeAt: usedAt, usedAt },
  ...{ pinned: false, lostAt: null, channels: [], runs: [], needed: false, changeable: true },
});

interface Answer {
  status: number;
  code: string;
  detail: string;
}

/** Ages out what a server has that answers so when one is removed. */
async function ageOut(images: ImageView[], answers: Record<string, Answer>): Promise<object> {
  const asked: string[] = [];
  let left = images;
  vi.stubGlobal('fetch', async (url: string | URL, { method = 'GET' }: RequestInit = {}) => {
    if (method !== 'DELETE') return Response.json({ images: left });
    const name = String(url).slice(String(url).lastIndexOf('/') + 1);
    asked.push(name);
    const answer = answers[name];
    if (answer !== undefined) return Response.json({ type: 'about:blank', title: 'No', ...answer }, { status: answer.status });
    left = left.filter((one) => one.image !== name);
    return new Response(null, { status: 204 });
  });
  const shell = recorder();
  const failure = await imagesCommand([], { server: 'http://127.0.0.1:1', token: 't', ageOut: '24h' }, shell).then(
    () => undefined,
    ({ code, message }: Error & { code: string }) => ({ code, message }),
  );
  const shown = shell
    .out()
    .split('\n')
    .flatMap((line) => line.split('  ')[1] ?? []);
  return { asked, shown, err: shell.err(), ...(failure !== undefined && { failure }) };
}

const needed = { status: 409, code: 'PACELINE_CONFLICT', detail: 'The run r2 boots it' };
const gone = { status: 404, code: 'PACELINE_NOT_FOUND', detail: 'There is no image' };
const failed = { status: 502, code: 'PACELINE_CLOUD_FAILED', detail: 'lab: it is in use' };

test('images that stay, or are gone by now, keep nobody from ageing out the others', async () => {
  expect(await ageOut([image('a'), image('b'), image('new', '2026-01-01T10:00:00.000Z'), image('c')], { a: needed, b: gone })).toEqual({
    asked: ['a', 'b', 'c'],
    shown: ['a', 'b', 'new'],
    err: 'a stays: The run r2 boots it\n',
  });
});

test('what could not be removed is told at the end, and fails', async () => {
  expect(await ageOut([image('a'), image('b'), image('c')], { a: failed, b: { ...failed, detail: 'lab: not now' } })).toEqual({
    asked: ['a', 'b', 'c'],
    shown: ['a', 'b'],
    err: '',
    failure: { code: 'PACELINE_CLOUD_FAILED', message: 'lab: it is in use\nlab: not now' },
  });
});

test('a server that is gone is not asked for each', async () => {
  const away = { status: 500, code: 'PACELINE_UNREACHABLE', detail: 'away' };
  expect(await ageOut([image('a'), image('b')], { a: away })).toMatchObject({ asked: ['a'], failure: { code: 'PACELINE_UNREACHABLE' } });
});
