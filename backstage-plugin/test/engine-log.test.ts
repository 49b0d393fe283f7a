import { mockServices } from '@backstage/backend-test-utils';
import { expect, it } from 'vitest';
import { engineLog } from '../backend/src/engine/engine-log.ts';

it.each([
  [{ level: 30, msg: 'began' }, 'info', 'began'],
  [{ level: 40, msg: 'odd' }, 'warn', 'odd'],
  [{ level: 50, msg: 'broke', err: { stack: 'Error: at once' } }, 'error', 'broke\nError: at once'],
  // What was thrown need not be an error.
  [{ level: 50, msg: 'broke', err: { message: 'no stack' } }, 'error', 'broke\nno stack'],
  [{ level: 50, msg: 'broke', err: 'a text' }, 'error', 'broke'],
  [{ level: 60, err: null }, 'error', ''],
] as const)('takes %j to the log of the plugin', (line, level, text) => {
  const logger = mockServices.logger.mock();
  engineLog(logger).write(`${JSON.stringify(line)}\n`);
  expect(logger[level]).toHaveBeenCalledExactlyOnceWith(text);
});
