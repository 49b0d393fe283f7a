import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentOf, type TestNode } from '../support/recipes.ts';
import { System, type SystemRun } from '../support/system.ts';
import { filesOf } from '../support/tar.ts';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

const folder = 'var_log_slipstream_client';

async function reportOf(
  nodes: Record<string, TestNode>,
  spec: Record<string, unknown> = {},
  ...ends: string[]
): Promise<{ run: SystemRun; files: Record<string, string> }> {
  const run = await system.up(await deploymentOf(nodes, spec));
  await run.reaches(...(ends.length === 0 ? ['Ready'] : ends));
  const [report] = await run.reports();
  return { run, files: await filesOf(await run.report(report?.name ?? '')) };
}

describe('a report', () => {
  it('holds the report folder under SlipStream’s name, with what recipes put there and what they printed', async () => {
    const { run, files } = await reportOf({
      client: {
        scripts: {
          deploy: 'echo deployed; echo "a warning" >&2',
          report:
            'test -d "$SLIPSTREAM_REPORT_DIR"; mkdir -p "$SLIPSTREAM_REPORT_DIR/deep/er"; echo x > "$SLIPSTREAM_REPORT_DIR/deep/er/file name"; ln -s /etc/passwd "$SLIPSTREAM_REPORT_DIR/link"',
        },
      },
    });
    expect((await run.reports())[0]?.name).toMatch(/^client\.1_report_\d{4}-\d\d-\d\dT\d{6}Z\.tgz$/);
    expect(Object.keys(files).filter((path) => !path.startsWith(`${folder}/`))).toEqual([]);
    expect(files[`${folder}/deep/er/file name`]).toBe('x\n');
    expect(files).not.toHaveProperty([`${folder}/link`]);
    expect(Object.values(files)).toContain('deployed\n');
    expect(Object.values(files)).toContain('a warning\n');
  });

  it('has its folder, and the variable that names it, when the report script runs and not before', async () => {
    const { run } = await reportOf({
      client: {
        scripts: {
          deploy: 'echo "deploy:$SLIPSTREAM_REPORT_DIR"',
          report: 'test -d "$SLIPSTREAM_REPORT_DIR" && test -w "$SLIPSTREAM_REPORT_DIR" && echo report:found',
        },
      },
    });
    expect(await run.output('client.1')).toBe('deploy:\nreport:found\n');
  });

  it.each([
    ['a script failed', 'echo evidence > evidence; exit 1', {}],
    ['the run was aborted by a script', 'echo evidence > evidence; ss-abort enough; sleep 100', {}],
    ['the time was up', 'echo evidence > evidence; sleep 100', { timeout: '2s' }],
  ])('comes although %s, with what its script saves although the flag is raised', async (_what, deploy, spec) => {
    const report =
      'cp evidence "$SLIPSTREAM_REPORT_DIR"; echo "$(ss-get plain)" > "$SLIPSTREAM_REPORT_DIR/plain"; ss-display "report saved"';
    const { run, files } = await reportOf(
      { client: { parameters: { plain: 'still there' }, scripts: { deploy, report } } },
      { keepRunning: 'never', ...spec },
      'Aborted',
    );
    expect(files[`${folder}/evidence`]).toBe('evidence\n');
    expect(files[`${folder}/plain`]).toBe('still there\n');
    expect((await run.detail()).instances[0]?.message).toBe('report saved');
  });

  it('comes although its own script fails, which does not abort the run', async () => {
    const { run, files } = await reportOf({ client: { scripts: { report: 'echo half > "$SLIPSTREAM_REPORT_DIR/half"; exit 1' } } });
    expect(files[`${folder}/half`]).toBe('half\n');
    expect((await run.detail()).abort).toBeNull();
  });

  it('comes from a machine without any script', async () => {
    const { files } = await reportOf({ client: {} });
    expect(Object.keys(files).every((path) => path.startsWith(`${folder}/`))).toBe(true);
  });
});
