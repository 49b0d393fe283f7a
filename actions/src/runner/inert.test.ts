import type { EventView, LogView } from '@paceline/api';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { InertText, logView } from './inert.ts';
import { formsOf } from './masks.ts';

const log = (text: string): LogView => ({ seq: 1, at: new Date(0).toISOString(), instance: 'web.1', source: 's', stream: 'stdout', text });
const state = (message: string): EventView => ({
  seq: 1,
  at: new Date(0).toISOString(),
  type: 'run.state',
  severity: 'info',
  message,
  data: {},
});

/** The lines that a runner would obey. */
function obeyed(text: string): string[] {
  let resume: string | undefined;
  return text.split('\n').filter((line) => {
    const [, name, value] = /^::([^:]+)::(.*)$/.exec(line) ?? [];
    if (resume !== undefined) {
      if (name === resume) resume = undefined;
      return false;
    }
    if (name === 'stop-commands') resume = value;
    return name !== undefined && name !== 'stop-commands';
  });
}

test('nothing that a machine writes is obeyed, whatever it is', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('::error::x', '::stop-commands::a', '::a::', '::endgroup::', '\r::error::y', '##[error]'),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      let written = '';
      const view = logView((text) => (written += text), {});
      view.event(state('Executing'));
      for (const text of pieces) view.log(log(`${text}\n`));
      view.note('::error::note');
      view.close();
      expect(obeyed(written)).toEqual(['::group::Executing', '::endgroup::']);
    }),
  );
});

test('the word that ends it is another one each time', () => {
  let written = '';
  const text = new InertText((some) => (written += some));
  text.line('a');
  text.end();
  text.line('b');
  text.end();
  const words = [...written.matchAll(/stop-commands::(\w+)/g)].map(([, word]) => word);
  expect(new Set(words).size).toBe(2);
  expect(words.every((word) => (word ?? '').length === 48)).toBe(true);
});

test('a secret is masked as it is, line by line and in the forms that programs print', () => {
  expect(formsOf('a"b\nc d')).toEqual(['a"b\nc d', 'a%22b%0Ac%20d', 'YSJiCmMgZA==', 'a\\"b\\nc d', 'a"b', 'c d']);
  expect(formsOf('')).toEqual([]);
});
