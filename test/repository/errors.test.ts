import { errorCatalogue } from '@paceline/model';
import { expect, test } from 'vitest';
import { withTable } from '../../scripts/errors-table.ts';
import { read } from './tracked-files.ts';

const text = read('docs/errors.md');

test('docs/errors.md has the table of today: npm run generate', () => {
  expect(text).toBe(withTable(text));
});

test.each(Object.keys(errorCatalogue))('%s has a paragraph that says what to do', (code) => {
  const [, paragraph = ''] = text.split(`\n### ${code}\n`);
  expect(paragraph.split('\n\n')[0]?.length).toBeGreaterThan(80);
});

test('docs/errors.md explains no code that is gone', () => {
  const explained = [...text.matchAll(/^### (\S+)$/gm)].map(([, code = '']) => code);
  expect(explained.toSorted()).toEqual(Object.keys(errorCatalogue).toSorted());
});
