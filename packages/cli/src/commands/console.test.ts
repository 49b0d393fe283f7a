import { createServer } from 'node:http';
import type { ConsolePiece } from '@paceline/api';
import { expect, test } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { consoleCommand } from './console.ts';

/** What the command shows of a console that is answered so, by the byte that is asked for. */
async function show(pieces: Record<number, ConsolePiece>): Promise<string> {
  await using server = createServer((request, response) => {
    const since = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('since'));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(pieces[since]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const shell = recorder();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  expect(await consoleCommand(['run', 'box.1'], { server: url, token: 'x' }, shell)).toBe(0);
  server.closeAllConnections();
  return shell.out();
}

test('what a machine writes does nothing to the terminal, also in two pieces', async () => {
  expect(
    await show({
      0: { text: 'one\r\n\u001b[2Jtwo\u001b]0;ti', next: 20 },
      20: { text: 'tle\u0007three\u001b[3', next: 30 },
      30: { text: '1m four\n', next: 40 },
      40: { text: '', next: 40 },
    }),
  ).toBe('one\ntwothree four\n');
});

test('a console that was begun anew is read from its beginning', async () => {
  expect(
    await show({ 0: { text: 'old\n', next: 4 }, 4: { text: 'n', next: 1 }, 1: { text: 'ew\n', next: 3 }, 3: { text: '', next: 3 } }),
  ).toBe('old\nnew\n');
});
