import { expect, test } from 'vitest';
import { openProcessTable, parseStat } from './process-table.ts';

test('a name with spaces and parentheses does not shift the fields', () => {
  const rest = 'S 10 20 30 34816 20 4194304 0 0 0 0 0 0 0 0 20 0 1 0 362276 3133440 382';
  expect(parseStat(`42 (a) (b) c) ${rest}\n`)).toEqual({
    pid: 42,
    parent: 10,
    group: 20,
    session: 30,
    start: '362276',
    terminal: true,
    dead: false,
  });
  expect(parseStat('42')).toBeUndefined();
  expect(parseStat('')).toBeUndefined();
});

test('this process is found, by /proc and by ps', async () => {
  for (const platform of ['linux', 'darwin'] as const) {
    const table = openProcessTable(platform);
    const self = (await table.snapshot()).find(({ pid }) => pid === process.pid);
    expect(self).toMatchObject({ parent: process.ppid, uid: process.getuid?.() });
    expect(table.isAlive({ pid: process.pid, start: self?.start ?? '?' })).toBe(true);
  }
  expect(openProcessTable('linux').isAlive({ pid: process.pid, start: '1' })).toBe(false);
});

test('calls that come together share one look', async () => {
  const table = openProcessTable('linux');
  const [one, two] = await Promise.all([table.snapshot(), table.snapshot()]);
  expect(one).toBe(two);
  expect(await table.snapshot()).not.toBe(one);
});
