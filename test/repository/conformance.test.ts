import { checks } from '@paceline/engine/conformance';
import { expect, test } from 'vitest';
import { matrixOf, type Outcome } from '../../scripts/conformance/matrix.ts';
import { read } from './tracked-files.ts';

test('docs/connectors.md says of every check what came of it: npm run conformance', () => {
  const rows = [...read('docs/connectors.md').matchAll(/^\| `([a-z-]+)` \|.*[✓✗]/gmu)].map(([, id = '']) => id);
  expect(rows).toEqual(checks.map(({ id }) => id));
});

test('the matrix shows times, names the reason of all that was left out and what went wrong, and no connector is forgotten', () => {
  const outcome = (subject: string, check: string, rest: Partial<Outcome>): Outcome => ({
    subject,
    check,
    state: 'passed',
    ms: 1000,
    at: Date.UTC(2026, 0, 2),
    ...rest,
  });
  const shown = matrixOf(
    ['launch', 'end', 'soak'],
    [
      outcome('lxd', 'launch', { ms: 12_400 }),
      outcome('lxd', 'end', { state: 'failed', why: 'it is still there\nat line 7' }),
      outcome('lxd', 'soak', { state: 'skipped' }),
      outcome('exec, shell', 'launch', {}),
      outcome('exec, shell', 'end', { state: 'skipped', why: 'it has none' }),
      outcome('qemu', 'launch', { state: 'skipped', why: 'there is no image' }),
    ],
  );
  expect(shown).toBe(`| check | exec, shell | lxd |
| --- | --- | --- |
| against | T1: processes of the host | T1: LXD 5.0 |
| on | 2026-01-02 | 2026-01-02 |
| seconds | 2.0 | 14 |
| \`launch\` | ✓ 1.0 | ✓ 12 |
| \`end\` | a | ✗ |
| \`soak\` |  | b |

- a: it has none
- b: its time was over
- ✗ lxd, \`end\`: it is still there
- not checked here: qemu (there is no image)`);
});
