import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentOf } from '../support/recipes.ts';
import { System, type SystemRun } from '../support/system.ts';
import { expectTranscript, nodeOf, type Line } from './transcript.ts';

/** A script of an aborted run is stopped; this one has the five seconds until SIGKILL to say what the commands answered. */
const stubborn = 'trap "" TERM';
const flagRaised = (reason: string): RegExp => new RegExp(`Abort flag raised! ${reason}\\n$`);

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

async function aborted(name: string, lines: Line[], parameters: Record<string, unknown> = {}): Promise<SystemRun> {
  const run = await system.up(await deploymentOf({ [name]: nodeOf(lines, { before: stubborn, parameters }) }, { keepRunning: 'on-error' }));
  await run.reaches('Ready');
  await expectTranscript(run, `${name}.1`, lines);
  return run;
}

describe('under the abort flag', () => {
  it('the commands exit with 8, but for those that ignore it, until it is taken down', async () => {
    const first = flagRaised('the first reason');
    const run = await aborted(
      'failing',
      [
        { run: 'ss-abort', rc: 0 },
        { run: 'ss-get --ignore-abort ss:abort', out: '(unspecified)\n' },
        { run: 'ss-abort --cancel' },
        { run: 'ss-get plain', out: 'hello\n' },
        { run: 'ss-get abort; ss-get ss:abort', out: '\n\n' },
        { run: 'ss-abort "the first reason"' },
        { run: 'ss-get plain', rc: 8, err: first },
        { run: 'ss-get --timeout 0 unset', rc: 8, err: first },
        { run: 'ss-get --noblock plain', rc: 8, err: first },
        { run: 'ss-set plain x', rc: 8, err: first },
        { run: 'ss-display x', rc: 8, err: first },
        { run: 'ss-random unset', rc: 8, err: first },
        { run: 'ss-get-all failing plain', rc: 8, err: first },
        { run: 'ss-random', out: /^\w{12}\n$/ },
        { run: 'ss-get --ignore-abort plain', out: 'hello\n' },
        { run: 'ss-set --ignore-abort unset now; ss-get --ignore-abort unset', out: 'now\n' },
        { run: 'ss-display --ignore-abort "cleaning up"' },
        { run: 'ss-get-all --ignore-abort failing plain', out: 'failing.1:plain hello\n' },
        { run: 'ss-get --ignore-abort abort', out: 'the first reason\n' },
        { run: 'ss-abort "a second reason"; ss-get --ignore-abort ss:abort', out: 'the first reason\n', err: /^[\s\S]*$/ },
        { run: 'ss-abort --ignore-abort x', rc: 2, err: /no such option: --ignore-abort\n$/ },
        { run: 'ss-cancel-abort' },
        { run: 'ss-get plain', out: 'hello\n' },
        { run: 'ss-abort -- "-a reason with a dash"; ss-get --ignore-abort ss:abort; ss-cancel-abort', out: '-a reason with a dash\n' },
        {
          run: 'ss-abort "$(head -c 5000 /dev/zero | tr "\\0" x)"; ss-get --ignore-abort ss:abort > long; wc -c < long; grep -c "^(truncated)$" long; ss-cancel-abort',
          out: /^40\d\d\n1\n$/,
        },
        { run: 'ss-abort "the last one"' },
      ],
      { plain: 'hello', unset: {} },
    );
    expect((await run.detail()).abort).toMatchObject({ reason: 'the last one', source: 'failing.1:abort' });
    const messages = (await run.events()).map(({ message }) => message);
    expect(messages).toContain("Abort from 'failing.1', message: the first reason");
    expect(messages).toContain("Reset abort from 'failing.1'");
  });

  it('a get that waits is released with 8', async () => {
    const run = await aborted(
      'waiting',
      [
        {
          run: '(sleep 1; ss-abort "enough") & ss-get --timeout 0 unset; rc=$?; wait; exit $rc',
          rc: 8,
          err: /^Waiting for waiting\.1:unset\n[\s\S]*Abort flag raised!.*\n$/,
          ms: [900, 3000],
        },
      ],
      { unset: {} },
    );
    expect((await run.detail()).abort?.reason).toBe('enough');
  });
});

describe('an unknown key', () => {
  it.each([
    ['ss-get', 'ss-get nonsense', 'lost.1:nonsense'],
    ['ss-set', 'ss-set nonsense x', 'lost.1:nonsense'],
    ['ss-get of another node', 'ss-get nobody:hostname', 'nobody.1:hostname'],
    ['ss-get of an instance that is not there', 'ss-get lost.7:hostname', 'lost.7:hostname'],
  ])('exits with 7 and aborts the run: %s', async (_what, command, key) => {
    const run = await aborted('lost', [{ run: command, rc: 7, err: new RegExp(`Unknown key ${key}\\n$`) }]);
    expect((await run.detail()).abort).toMatchObject({ reason: `Unknown key ${key}`, source: 'lost.1:abort' });
  });
});
