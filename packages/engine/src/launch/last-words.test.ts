import { expect, test } from 'vitest';
import type { Connector, ConnectorContext } from '../connector/index.ts';
import { readLastWords } from './last-words.ts';

const context: ConnectorContext = { signal: new AbortController().signal, now: () => 0, log: { info: () => {}, warn: () => {} } };

function connectorWith(console: string, piece: number): Connector {
  const consoleLog: Connector['consoleLog'] = async (_id, since) => {
    const text = console.slice(since, since + piece);
    return { text, next: since + text.length };
  };
  return { consoleLog } as Connector;
}

test('the end of a console is read, however long it is, as plain lines', async () => {
  const long = Array.from({ length: 3000 }, (_, at) => `line ${at}`).join('\r\n');
  const words = await readLastWords(
    connectorWith(`${long}\r\n\u001b[0;1;31mFAILED\u001b[0m \u0007now\n\n${'x'.repeat(900)}`, 1000),
    'm',
    context,
  );
  expect(words).toHaveLength(12);
  expect(words.slice(-3)).toEqual(['line 2999', 'FAILED now', `${'x'.repeat(400)}…`]);
});

test.each([20, 37, 44, 1000])('what the bootstrap said is not lost in what comes after it, read %d at a time', async (piece) => {
  const after = Array.from({ length: 100 }, (_, at) => `stopped ${at}`);
  const console = ['booting', '[ 1.5] cloud-init[7]: paceline: cannot fetch it', ...after].join('\r\n');
  const words = await readLastWords(connectorWith(console, piece), 'm', context);
  expect(words.slice(0, 2)).toEqual(['paceline: cannot fetch it', 'stopped 88']);
});

test('a cloud without consoles has nothing to say', async () => {
  expect(await readLastWords({} as Connector, 'm', context)).toEqual([]);
  expect(await readLastWords(connectorWith('', 10), 'm', context)).toEqual([]);
});
