import { afterAll, beforeAll, describe, it } from 'vitest';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';
import { expectTranscript, nodeOf, type Line } from './transcript.ts';

// Where the commands differ from SlipStream's on purpose: what was a limit or an accident there. Recipes that kept to the rules
// do not notice.

const lines: Line[] = [
  // SlipStream ended the run at more than 4096 characters.
  { run: 'ss-set large "$(head -c 100000 /dev/zero | tr "\\0" x)"; ss-get large | wc -c', out: /^\s*100001\n$/ },
  // There, every machine could write every parameter.
  { run: 'ss-set other.1:theirs mine', rc: 6, err: /Security Error: other\.1:theirs cannot be set: .*\n$/ },
  { run: 'ss-set ss:state Ready', rc: 6, err: /Security Error: / },
  // There, every machine could read every password.
  { run: 'ss-get other.1:password', rc: 6, err: /Security Error: other\.1:password is a secret of another machine/ },
  { run: 'test "$(ss-get password)" = swordfish' },
  // What scripts print is masked; what they put into their report, as this transcript is, stays as it is.
  { run: 'ss-get password', out: 'swordfish\n' },
  // There, a value appeared after up to five seconds of polling.
  { run: '(sleep 0.2; ss-set own now) & ss-get own; wait', out: 'now\n', err: 'Waiting for differing.1:own\n', ms: [150, 2000] },
];

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

describe('the commands in a machine', () => {
  it('do more than SlipStream’s, and allow less', async () => {
    const run = await system.up(
      await deploymentOf({
        differing: nodeOf(lines, {
          parameters: { large: {}, own: {}, password: { type: 'password' } },
          inputs: { password: { from: 'third:password' } },
        }),
        other: { parameters: { theirs: {}, password: { type: 'password', default: 'hush-hush', output: true } } },
        third: { parameters: { password: { type: 'password', output: true } }, scripts: { deploy: 'ss-set password swordfish' } },
      }),
    );
    await run.reaches('Ready');
    await expectTranscript(run, 'differing.1', lines);
  });
});
