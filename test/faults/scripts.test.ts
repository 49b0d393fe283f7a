import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesWith } from '../support/processes.ts';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';
import { filesOf } from '../support/tar.ts';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

describe('a deploy script', () => {
  it('that fails aborts the run with its last error line, stops the others, and all reports still come', async () => {
    const deployment = await deploymentOf(
      {
        good: { scripts: { deploy: 'sleep 1000' } },
        bad: {
          scripts: {
            deploy: 'echo fine; echo "cannot read the file" >&2; echo >&2; exit 3',
            report: 'echo evidence > "$SLIPSTREAM_REPORT_DIR/evidence"',
          },
        },
      },
      { keepRunning: 'never' },
    );
    const run = await system.up(deployment);
    const detail = await run.reaches('Aborted');
    expect(detail.abort).toMatchObject({
      source: 'bad.1:abort',
      reason: "Failed running 'bad:Deployment' script on 'bad.1': cannot read the file",
    });
    const reports = await run.reports();
    expect(reports.map(({ instance }) => instance).toSorted()).toEqual(['bad.1', 'good.1']);
    const bad = reports.find(({ instance }) => instance === 'bad.1');
    expect(bad?.name).toMatch(/^bad\.1_report_\d{4}-\d\d-\d\dT\d{6}Z\.tgz$/);
    const files = await filesOf(await run.report(bad?.name ?? ''));
    expect(files['var_log_slipstream_client/evidence']).toBe('evidence\n');
    expect(Object.values(files).join('')).toContain('cannot read the file');
  });

  it('that is killed says by what', async () => {
    const run = await system.up(await deploymentOf({ a: { scripts: { deploy: 'kill -9 $$' } } }, { keepRunning: 'never' }));
    expect((await run.reaches('Aborted')).abort?.reason).toMatch(/^Failed running 'a:Deployment' script on 'a\.1': .*SIGKILL/);
  });

  it('that hangs is stopped when the time is up, and the run names who was waited for', async () => {
    const deployment = await deploymentOf(
      { a: { scripts: { deploy: 'trap "" TERM; echo started; while :; do sleep 1; done' } } },
      { keepRunning: 'never', timeout: '2s' },
    );
    const run = await system.up(deployment);
    const detail = await run.reaches('Aborted');
    expect(detail.abort?.reason).toBe('The run has timed out: 2 s in Executing, waiting for a.1');
    expect((await run.reports()).map(({ instance }) => instance)).toEqual(['a.1']);
  });

  it('that prints 100 MB neither stalls the run nor fills the server', async () => {
    const run = await system.up(
      await deploymentOf({ a: { scripts: { deploy: 'head -c 100000000 /dev/zero | tr "\\0" "x" | fold -w 99; echo the end >&2' } } }),
    );
    await run.reaches('Ready');
    const bytes = (await run.logs()).reduce((sum, { text }) => sum + text.length, 0);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(12_000_000);
    expect(await run.output('a.1', 'stderr')).toBe('the end\n');
  });

  it('that prints much at the very end of a run that is not kept loses none of it', async () => {
    const lines = 80_000;
    const print = `seq -f "%099.0f" ${lines}; echo the end`;
    const run = await system.up(
      await deploymentOf({ a: { multiplicity: 3, scripts: { deploy: 'true', report: print } } }, { keepRunning: 'never' }),
    );
    await run.reaches('Done');
    for (const instance of ['a.1', 'a.2', 'a.3']) {
      const output = (await run.output(instance)).split('\n');
      expect([output.length, output.at(-2)]).toEqual([lines + 2, 'the end']);
    }
  });

  it('that prints binary does no harm', async () => {
    const run = await system.up(await deploymentOf({ a: { scripts: { deploy: 'printf "\\377\\376\\000\\033[2Jx\\303\\251"' } } }));
    await run.reaches('Ready');
    expect(await run.output('a.1')).toContain('é');
  });

  it('that leaves a daemon behind completes, and the daemon lives until the machine goes', async () => {
    const run = await system.up(await deploymentOf({ a: { scripts: { deploy: 'setsid nohup sleep 4321 >/dev/null 2>&1 &' } } }));
    await run.reaches('Ready');
    const daemons = () => processesWith(`${system.localRoot}/`).filter(({ command }) => command.includes('sleep 4321'));
    expect(daemons()).toHaveLength(1);
    await run.down();
    await run.reaches('Done');
    expect(daemons()).toEqual([]);
  });

  it('of a machine without the packages it needs says which are missing', async () => {
    const run = await system.up(await deploymentOf({ a: { packages: ['no-such-package-anywhere'] } }, { keepRunning: 'never' }));
    expect((await run.reaches('Aborted')).abort?.reason).toMatch(/^Failed installing packages on 'a\.1': .*no-such-package-anywhere/);
  });
});

it('two runs at once keep out of each other’s way', async () => {
  const deployment = await deploymentOf({
    a: {
      parameters: { mine: { output: true } },
      scripts: {
        deploy:
          'ss-set mine "$(ss-get hostname) $SLIPSTREAM_DIID"; python3 -m http.server --bind $(ss-get hostname) 8090 >/dev/null 2>&1 &',
      },
    },
  });
  const [one, two] = await Promise.all([system.up(deployment), system.up(deployment)]);
  await Promise.all([one?.reaches('Ready'), two?.reaches('Ready')]);
  const values = await Promise.all([one?.get('a.1:mine'), two?.get('a.1:mine')]);
  expect(new Set(values).size).toBe(2);
  expect(values[0]).toContain(one?.id);
});
