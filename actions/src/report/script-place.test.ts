import { expect, test } from 'vitest';
import { lineTold } from './script-place.ts';

test.each([
  ['bash', '/m/reports/x_web__deployment: line 12: no_such: command not found', 12],
  ['dash', '/m/reports/x_web__deployment: 7: no_such: not found', 7],
  ['Python', '  File "/m/reports/x_web__deployment", line 3, in <module>', 3],
  ['a report script', 'x__on-vm-add: line 4: y: unbound variable', 4],
])('%s names the line', (_what, text, line) => expect(lineTold(['before', text, 'after'])).toBe(line));

test('what only looks like a place is none', () => {
  expect(lineTold(['cannot open line 12: no', 'at 10:30:00: failed', 'x__deployment: 99 bottles'])).toBeUndefined();
});
