import { expect, test } from 'vitest';
import { skipReasons } from '../../scripts/skip-reasons.ts';

test('what is skipped says why, once for each reason', () => {
  const noLxd = 'connect ENOENT /lxd.socket: npm run testbed -- lxd';
  expect(
    skipReasons([
      { note: noLxd, names: ['machines on lxd', 'are resized'] },
      { note: undefined, names: ['tunnels (needs root)', 'are kept'] },
      { note: undefined, names: [`a cloud behind tunnels (${noLxd})`, 'has machines (of its own)'] },
      { note: undefined, names: ['not asked for', 'once'] },
      { note: undefined, names: ['not asked for', 'twice'] },
    ]),
  ).toEqual([
    `Skipped, 2 tests: ${noLxd}`,
    'Skipped, 1 test: needs root',
    "Skipped, 2 tests: no reason is given, such as for 'not asked for > once'",
  ]);
});
