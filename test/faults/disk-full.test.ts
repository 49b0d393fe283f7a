import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';
import { until } from '../support/until.ts';

const isRoot = process.getuid?.() === 0;

/** Takes all the space that there is, also beside somebody who writes at the same time. */
function fillUp(file: string): void {
  const piece = Buffer.alloc(64 * 1024);
  try {
    for (;;) appendFileSync(file, piece);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}

it.skipIf(!isRoot)(
  'a server without space for a report says so in the run, and the run goes on (needs root to mount a small disk)',
  async () => {
    const system = await System.start();
    const reports = join(system.folder, 'state', 'reports');
    mkdirSync(reports, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', reports]);
    try {
      const run = await system.up(
        await deploymentOf({
          big: { scripts: { report: 'head -c 3000000 /dev/urandom > "$SLIPSTREAM_REPORT_DIR/noise"' } },
          small: { scripts: { deploy: 'true' } },
        }),
      );
      const detail = await run.reaches('Ready');
      expect(detail.abort).toBeNull();
      const notices = (await run.events()).filter(({ type }) => type === 'instance.notice').map(({ message }) => message);
      expect(notices.join('\n')).toMatch(/big\.1: .*There is no space left at the server for the report big\.1_report_/);
      expect((await run.reports()).map(({ instance }) => instance)).toEqual(['small.1']);
    } finally {
      execFileSync('umount', ['-l', reports]);
      await system.close();
    }
  },
);

it.skipIf(!isRoot)(
  'a server whose database has no space left says so, keeps what it has, and goes on with the run when there is some (needs root to mount a small disk)',
  async () => {
    const system = await System.start();
    const state = join(system.folder, 'state');
    await system.kill('SIGTERM');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', state]);
    try {
      await system.serve();
      const run = await system.up(
        await deploymentOf({
          a: {
            parameters: { before: { output: true }, go: {}, noise: {}, after: { output: true } },
            scripts: { deploy: 'ss-set before 1; ss-get go; ss-set after 2' },
          },
        }),
      );
      await until(async () => expect(await run.get('a.1:before')).toBe('1'));
      fillUp(join(state, 'filler'));
      const noise = (round: number): string => String(round % 10).repeat(500_000);
      let acknowledged = 0;
      const refusal = async (): Promise<string> => {
        for (let round = 1; ; round++) {
          const answer = await run.set('a.1:noise', noise(round)).catch((error: unknown) => String(error));
          if (typeof answer === 'string' && !answer.includes('503')) return answer;
          if (typeof answer !== 'string') acknowledged = round;
        }
      };
      expect(await refusal()).toMatch(/507 .*There is no space left for the database.*PACELINE_STORE_FULL/);
      expect((await system.fetch('GET', `/api/runs/${run.id}`)).status).toBe(200);
      rmSync(join(state, 'filler'));
      await until(() => run.set('a.1:go', 'on'));
      await run.reaches('Ready');
      expect([await run.get('a.1:before'), await run.get('a.1:after')]).toEqual(['1', '2']);
      expect(await run.get('a.1:noise')).toBe(acknowledged === 0 ? null : noise(acknowledged));
      await system.kill();
      await system.serve();
      expect((await run.reaches('Ready')).abort).toBeNull();
      await run.down();
      await run.reaches('Done');
    } finally {
      await system.kill('SIGTERM');
      execFileSync('umount', ['-l', state]);
      await system.close();
    }
  },
);
