import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { processesWith } from '../support/processes.ts';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

const agents = (): number[] =>
  processesWith(`${system.localRoot}/`)
    .filter(({ command }) => / reside --dir /.test(command) && !command.startsWith('sh ') && !command.startsWith('/bin/sh'))
    .map(({ pid }) => pid);

describe('an agent that is killed', () => {
  it('in the middle of scripts is started again, adopts them, and nothing runs twice', async () => {
    const run = await system.up(
      await deploymentOf({
        a: {
          multiplicity: 2,
          parameters: { go: {} },
          scripts: { preInstall: 'echo pre', deploy: 'echo begin; ss-get --timeout 0 go; echo end' },
        },
      }),
    );
    await vi.waitFor(async () => expect((await run.detail()).instances.every(({ blockedIn }) => blockedIn.length > 0)).toBe(true), {
      timeout: 20_000,
    });
    const before = agents();
    expect(before).toHaveLength(1);
    process.kill(before[0] ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(agents().filter((pid) => !before.includes(pid))).toHaveLength(1), { timeout: 10_000 });
    for (const name of ['a.1', 'a.2']) await run.set(`${name}:go`, 'go');
    const detail = await run.reaches('Ready');
    expect(detail.abort).toBeNull();
    for (const name of ['a.1', 'a.2']) expect(await run.output(name)).toBe('pre\nbegin\ngo\nend\n');
    await run.down();
    await run.reaches('Done');
  });

  it('while it is away does not lose the output of its scripts', async () => {
    const run = await system.up(
      await deploymentOf({
        a: {
          parameters: { go: {} },
          scripts: { deploy: 'ss-display ready; i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; sleep 0.01; done' },
        },
      }),
    );
    await vi.waitFor(async () => expect(await run.output('a.1')).toContain('line 20'), { timeout: 20_000, interval: 10 });
    for (const pid of agents()) process.kill(pid, 'SIGKILL');
    await run.reaches('Ready');
    expect(await run.output('a.1')).toBe(Array.from({ length: 200 }, (_, index) => `line ${index + 1}\n`).join(''));
  });
});
