import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requestParameters } from '@paceline/door';
import { exitCodeOf } from './exit-code.ts';
import { listenForInterrupts } from './interrupts.ts';

test.each([
  ['Ready', null, 0],
  ['Done', null, 0],
  ['Ready', { reason: 'x', source: 'ss:abort', at: '' }, 8],
  ['Aborted', { reason: 'x', source: 'ss:abort', at: '' }, 8],
  ['Cancelled', { reason: 'x', source: 'ss:abort', at: '' }, 130],
  ['Cancelled', null, 130],
] as const)('a run that is %s with abort %j exits with %i', (state, abort, code) => {
  expect(exitCodeOf({ state, abort })).toBe(code);
});

test('the first signal asks, every further one insists', () => {
  const source = new EventEmitter() as unknown as NodeJS.Process;
  const heard: string[] = [];
  const interrupts = listenForInterrupts(
    () => heard.push('first'),
    () => heard.push('second'),
    source,
  );
  expect(interrupts.asked).toBe(false);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) source.emit(signal);
  expect(interrupts.asked).toBe(true);
  expect(heard).toEqual(['first', 'second', 'second']);
  interrupts.stop();
  expect(source.listenerCount('SIGINT')).toBe(0);
});

describe('parameters', () => {
  async function file(text: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'paceline-parameters-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'p.yaml'), text);
    return join(folder, 'p.yaml');
  }

  test('come from the file, and those written out win', async () => {
    const parametersFile = await file('clients: 3\nweb:port: 80\nclient: { multiplicity: 2, secure: true }\nnote: "a=b"\n');
    expect(await requestParameters({ parameter: ['web:port=81', 'note=x=y', 'empty='], parametersFile }, '/')).toEqual({
      clients: '3',
      'web:port': '81',
      'client:multiplicity': '2',
      'client:secure': 'true',
      note: 'x=y',
      empty: '',
    });
    expect(await requestParameters({ parameter: [], parametersFile: await file('') }, '/')).toEqual({});
  });

  test('are taken from the file as they are written', async () => {
    const written = { version: '1.10', code: '0123', mask: '0x1F', rate: '1e3', big: '12345678901234567890', on: 'True', none: '~' };
    const text = Object.entries(written).map(([name, value]) => `${name}: ${value}\n`);
    expect(await requestParameters({ parameter: [], parametersFile: await file(text.join('')) }, '/')).toEqual(written);
  });

  test.each([
    ['- a\n', 'is not a list of parameters'],
    ['a: [1]\n', 'is not a list of parameters'],
    ['a: "\n', 'is not valid YAML'],
  ])('are refused when the file is %j', async (text, message) => {
    await expect(requestParameters({ parameter: [], parametersFile: await file(text) }, '/')).rejects.toThrow(message);
  });

  test('are refused without a name or a file', async () => {
    await expect(requestParameters({ parameter: ['=x'] }, '/')).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
    await expect(requestParameters({ parameter: [], parametersFile: 'nope.yaml' }, '/nowhere')).rejects.toThrow(
      '/nowhere/nope.yaml cannot be read',
    );
  });
});
