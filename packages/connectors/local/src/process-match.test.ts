import { expect, test } from 'vitest';
import { processesOf } from './process-match.ts';
import type { ProcessEntry } from './process-table.ts';

const self = { pid: 500, uid: 1000 };
const machine = { id: 'local-1', directory: '/root/machines/local-1', leader: { pid: 20, start: '7' } };

function entry(pid: number, rest: Partial<ProcessEntry> = {}): ProcessEntry {
  return { pid, start: '9', parent: 1, group: pid, session: pid, uid: 1000, places: [], ...rest };
}

function found(...table: ProcessEntry[]): number[] {
  return processesOf(table, [machine], self).map(({ pid }) => pid);
}

test('the mark makes a process part of the machine, also under another account', () => {
  expect(found(entry(30, { machine: 'local-1' }), entry(31, { machine: 'local-1', uid: 33 }), entry(32, { machine: 'local-12' }))).toEqual([
    30, 31,
  ]);
});

test('the session counts only while it is led by the process that we started', () => {
  const member = entry(30, { session: 20, group: 30 });
  expect(found(entry(20, { start: '7', session: 20 }), member)).toEqual([20, 30]);
  expect(found(entry(20, { start: '8888', session: 20 }), member)).toEqual([]);
  expect(found(member)).toEqual([]);
});

test('so do place and descent, but no neighbour with a longer name and no place of another user', () => {
  expect(
    found(entry(30, { places: ['/', '/root/machines/local-1/console.log'] }), entry(31, { parent: 30, uid: 0 }), entry(32, { parent: 31 })),
  ).toEqual([30, 31, 32]);
  expect(found(entry(30, { places: ['/root/machines/local-12'] }), entry(31, { places: ['/root/machines/local-1'], uid: 33 }))).toEqual([]);
});

test('never this process, its ancestors, or pid 1', () => {
  const shell = entry(400, { places: ['/root/machines/local-1'] });
  const us = entry(500, { parent: 400, machine: 'local-1' });
  expect(found(entry(1, { parent: 0, machine: 'local-1' }), shell, us, entry(501, { parent: 500, machine: 'local-1' }))).toEqual([501]);
});
