import type { LogView } from '@paceline/api';
import { expect, it } from 'vitest';
import { lastWords } from './last-words.tsx';

const piece = (text: string, stream: LogView['stream'] = 'stdout', source = '1-deploy-0'): LogView => ({
  seq: 1,
  at: '2026-11-21T12:00:00.000Z',
  instance: 'web.1',
  source,
  stream,
  text,
});

it('are those of the script that spoke last, on standard error if it used that', () => {
  expect(lastWords([])).toEqual([]);
  expect(lastWords([piece('a\nb\n')])).toEqual(['a', 'b']);
  expect(lastWords([piece('old\n', 'stderr', '0-install-0'), piece('went wr', 'stderr'), piece('ong\n', 'stderr'), piece('c\n')])).toEqual([
    'went wrong',
  ]);
  expect(lastWords([piece('went wrong\n', 'stderr'), piece('no such file\n', 'stderr', '2-report-0')])).toEqual(['went wrong']);
  expect(lastWords([piece(Array.from({ length: 30 }, (_none, index) => `${index}\n`).join(''))])).toHaveLength(10);
});
