import { expect, test } from 'vitest';
import { scaleWish, type ScaleWords } from './scale-wish.ts';

test.each<[ScaleWords, object]>([
  [{ change: '+2' }, { add: 2 }],
  [
    { change: '+2', tolerate: '1' },
    { add: 2, tolerate: 1 },
  ],
  [{ change: '-2' }, { remove: 2 }],
  [{ change: '=5' }, { count: 5 }],
  [{ remove: '1, 3' }, { removeIds: [1, 3] }],
  [
    { cpus: '4', memory: '2GiB', ids: '2' },
    { resize: { cpus: 4, memoryMiB: 2048 }, ids: [2] },
  ],
  [{ memory: '512MiB' }, { resize: { memoryMiB: 512 } }],
  [
    { attachDisk: '10GiB', ids: '1' },
    { attachDisk: 10, ids: [1] },
  ],
  [{ attachDisk: '1536MiB' }, { attachDisk: 2 }],
  [{ detachDisk: '/dev/vdb' }, { detachDisk: '/dev/vdb' }],
])('%o', (words, wish) => {
  expect(scaleWish('web', words)).toEqual({ node: 'web', ...wish });
});

test.each<[ScaleWords, string]>([
  [{}, 'Say one thing'],
  [{ change: '+1', remove: '2' }, 'Say one thing'],
  [{ change: '2' }, "'2' is not a change"],
  [{ change: '+1e9' }, "'+1e9' is not a change"],
  [{ remove: '1,x' }, "'x' is not a number"],
  [{ remove: '' }, "'' is not a number"],
  [{ change: '-1', ids: '3' }, '--ids is about a size or a disk: --remove says which machines go'],
  [{ remove: '1', ids: '3' }, '--ids is about a size or a disk'],
  [{ change: '-1', tolerate: '1' }, '--tolerate is about machines that come'],
  [{ cpus: '2', tolerate: '1' }, '--tolerate is about machines that come'],
  [{ memory: 'much' }, "'much' is not a size"],
  [{ attachDisk: '1GiB', detachDisk: '/dev/vdb' }, 'Say one thing'],
  [{ attachDisk: '0GiB' }, "'0GiB' is not a size"],
])('%o is refused', (words, message) => {
  expect(() => scaleWish('web', words)).toThrow(message);
});

test('a refusal speaks the language of whoever asks', () => {
  const refused = (style: 'options' | 'inputs'): unknown => {
    try {
      return scaleWish('web', { remove: 'x' }, style);
    } catch (error) {
      return error;
    }
  };
  expect(refused('options')).toMatchObject({ message: "--remove: 'x' is not a number", hint: expect.stringContaining('--remove 1,3') });
  const { message, hint } = refused('inputs') as { message: string; hint: string };
  expect(message).toBe("The input 'remove': 'x' is not a number");
  expect(hint).not.toContain('--');
});
