import type { LoggerService } from '@backstage/backend-plugin-api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TaskLog } from '../scaffolder/src/task-log.ts';

const lines = fc.array(
  fc.tuple(fc.constantFrom('info' as const, 'warn' as const, 'error' as const), fc.constantFrom('a', 'b', 'c***d', 'a | b')),
  { maxLength: 30 },
);

type Said = readonly (readonly ['info' | 'warn' | 'error', string])[];

function attempt(past: readonly string[], said: Said): string[] {
  const written: string[] = [];
  const note = (level: string) => (text: string) => void written.push(`${level}: ${text}`);
  const logger: LoggerService = { info: note('info'), warn: note('warn'), error: note('error'), debug: () => {}, child: () => logger };
  const log = new TaskLog(logger, past);
  for (const [level, text] of said) log.say(level, text);
  return written;
}

it('has each line as often as it is said, whatever of it was there and in whatever order it comes again', () => {
  fc.assert(
    fc.property(lines, fc.infiniteStream(fc.boolean()), fc.infiniteStream(fc.nat()), (said, kept, order) => {
      const all = said.map(([level, text]) => `${level}: ${text}`);
      const past = all.filter(() => kept.next().value);
      const again = said.map((line) => ({ line, at: order.next().value })).toSorted((a, b) => a.at - b.at);
      const written = attempt(
        past,
        again.map(({ line }) => line),
      );
      expect([...past, ...written].toSorted()).toEqual(all.toSorted());
    }),
  );
});

it('knows its lines in colours, and with secrets hidden', () => {
  const said = [
    ['info', 'web.1 | the key is hunter2, yes hunter2'],
    ['info', 'web.1 | hunter2'],
    ['warn', 'web.1 | other'],
  ] as const;
  const past = ['\u001b[32minfo\u001b[39m: web.1 | the key is ***, yes ***', '\u001b[33mwarn\u001b[39m: web.1 | other'];
  expect(attempt(past, said)).toEqual(['info: web.1 | hunter2']);
});
