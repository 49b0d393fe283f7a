import type { EventView, LogView } from '@paceline/api';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { logView } from './inert.ts';
import { formsOf } from './masks.ts';
import { StepOutput } from './output.ts';

const log = (text: string): LogView => ({ seq: 1, at: new Date(0).toISOString(), instance: 'web.1', source: 's', stream: 'stdout', text });
const state = (message: string): EventView => ({
  seq: 1,
  at: new Date(0).toISOString(),
  type: 'run.state',
  severity: 'info',
  message,
  data: {},
});

/** A stream that keeps what is written, and the output that owns it. */
function owned(): { stream: { write: (text: string) => boolean }; output: StepOutput; written: () => string } {
  let written = '';
  const stream = { write: (text: string): boolean => ((written += text), true) };
  return { stream, output: new StepOutput(stream), written: () => written };
}

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
      const { output, written } = owned();
      const view = logView(output, {});
      view.event(state('Executing'));
      for (const text of pieces) view.log(log(`${text}\n`));
      view.note('::error::note');
      view.close();
      expect(obeyed(written())).toEqual(['::group::Executing', '::endgroup::']);
    }),
  );
});

test('the word that ends it is another one each time', () => {
  const { output, written } = owned();
  output.inert('a');
  output.obey();
  output.inert('b');
  output.obey();
  const words = [...written().matchAll(/stop-commands::(\w+)/g)].map(([, word]) => word);
  expect(new Set(words).size).toBe(2);
  expect(words.every((word) => (word ?? '').length === 48)).toBe(true);
});

test('a mask that a library writes in the midst of the text of machines is obeyed, and shows no secret', () => {
  const { stream, output, written } = owned();
  const view = logView(output, {});
  view.event(state('Executing'));
  view.log(log('before\n'));
  stream.write('::add-mask::hush-hush\n');
  view.log(log('::error::evil\nafter hush-hush\n'));
  view.close();
  expect(obeyed(written())).toEqual(['::group::Executing', '::add-mask::hush-hush', '::endgroup::']);
});

test('a secret is masked as it is, line by line and in the forms that programs print', () => {
  expect(formsOf('a"b\nc d')).toEqual(['a"b\nc d', 'a%22b%0Ac%20d', 'YSJiCmMgZA==', 'a\\"b\\nc d', 'a"b', 'c d']);
  expect(formsOf('')).toEqual([]);
});
