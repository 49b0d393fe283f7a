import type { RunSummary } from '@paceline/api';
import { expect, test } from 'vitest';
import { merged } from '../data/use-live-runs.ts';
import { isShown } from './run-filter.ts';

const one = (id: string, more: Partial<RunSummary> = {}): RunSummary => ({
  id,
  name: `run ${id}`,
  state: 'Executing',
  createdAt: `2026-11-21T12:00:0${id}.000Z`,
  createdBy: 'alice',
  project: 'shop',
  endedAt: null,
  tags: ['ci'],
  ...more,
});

test('changes replace what was loaded, new runs come first, and an ended run stays so', () => {
  const loaded = [one('2', { endedAt: 'x', state: 'Done' }), one('1')];
  const changed = new Map([one('1', { state: 'Ready' }), one('2', { state: 'Ready' }), one('3'), one('4')].map((each) => [each.id, each]));
  expect(merged(loaded, changed).map(({ id, state }) => `${id} ${state}`)).toEqual(['4 Executing', '3 Executing', '2 Done', '1 Ready']);
});

test.each([
  [{ text: 'ALICE ci' }, true],
  [{ text: 'bob' }, false],
  [{ show: 'active' as const }, true],
  [{ show: 'ended' as const }, false],
  [{ show: 'failed' as const }, false],
  [{ project: 'lab' }, false],
])('a filter %j shows it: %s', (filter, shown) => {
  expect(isShown(one('1'), { text: '', show: 'all', project: '', ...filter })).toBe(shown);
});
