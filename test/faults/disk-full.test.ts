import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';

const isRoot = process.getuid?.() === 0;

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
