import { expect, test } from 'vitest';
import { commentBody } from './comment.ts';

const main = commentBody('', 'one', { body: '## ❌ shop\n\n**Reason:** no disk' });

test('the end of a run is put below what main has said of it', () => {
  const ended = commentBody(`<!-- paceline: shop -->\n${main}`, 'one', { ending: 'Nothing is left' });
  expect(ended).toBe('<!-- run: one -->\n## ❌ shop\n\n**Reason:** no disk\n<!-- the end -->\nNothing is left');
  expect(commentBody(ended, 'one', { ending: 'Something is' }).match(/<!-- the end -->|is left|Something is/g)).toEqual([
    '<!-- the end -->',
    'Something is',
  ]);
});

test('what was said of a run before is replaced', () => {
  expect(commentBody(main, 'two', { ending: 'Nothing is left' })).toBe('<!-- run: two -->\n<!-- the end -->\nNothing is left');
  expect(commentBody(main, 'two', { body: 'new' })).toBe('<!-- run: two -->\nnew');
});
