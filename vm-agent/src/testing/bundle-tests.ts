import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Step } from '@paceline/api/agent';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildAgent } from '../../build.mjs';
import { AgentProcess, runToEnd } from './agent-process.ts';
import { defineExaminationTests } from './examination-tests.ts';
import { FakeEngine } from './fake-engine.ts';

/** What the bundle must do on every Node: the whole program, against an engine that is real but for its storage. */
export function defineBundleTests(name: string, node: string): void {
  // Real processes on a machine that may be busy.
  describe(`the bundle on ${name}`, { timeout: 30_000 }, () => {
    let folder: string;
    let bundle: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'paceline-bundle-'));
      ({ outfile: bundle } = await buildAgent(join(folder, 'agent.cjs')));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    let engine: FakeEngine;
    const agents: AgentProcess[] = [];

    beforeEach(async () => {
      engine = await new FakeEngine().start();
    });
    afterEach(async () => {
      engine.leave();
      // Only an agent that is not killed ends what its scripts have left running.
      await engine.until('the end of the link', () => !engine.connected).catch(() => {});
      await Promise.all(agents.splice(0).map((agent) => agent.clean()));
      await engine.stop();
    });

    async function started(more: object = {}, disk?: ConstructorParameters<typeof AgentProcess>[4]): Promise<AgentProcess> {
      const agent = new AgentProcess(engine, bundle, node, more, disk);
      agents.push(agent);
      agent.start();
      await engine.until('the link', () => engine.connected);
      return agent;
    }

    const completed = (seq: number): Promise<unknown> =>
      engine.until(`completion of ${seq}`, () => engine.story.includes(`complete ${seq}`));
    const alive = (pid: number): boolean => {
      try {
        return !/^\d+ \(.*\) Z/.test(execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      } catch {
        return false;
      }
    };

    test('joins once, runs a recipe, streams its output and completes', async () => {
      const agent = await started({ env: { GREETING: 'hello' } });
      expect(engine.joins).toHaveLength(1);
      expect(engine.joins[0]).toMatchObject({ run: 'run-1', instance: 'apache.1', nodeVersion: expect.stringMatching(/^v\d/) });
      expect(agent.read('config.json')).not.toContain(engine.secret);
      expect(statSync(agent.path('var/lib/paceline/key')).mode & 0o777).toBe(0o600);
      expect(agent.read('var/lib/paceline/key')).toMatch(/^pla_run-1_[\w-]{43}\n$/);
      expect(statSync(agent.path('var/lib/paceline')).mode & 0o777).toBe(0o700);
      expect(statSync(agent.path('run/paceline/agent.sock')).mode & 0o777).toBe(0o600);

      const recipe = `#!/bin/bash -e
  set -o pipefail
  echo "$GREETING from $PACELINE_NODE $0 $EXTRA"
  [ "$PWD" = "${agent.path('var/tmp/slipstream')}" ]
  which ss-display
  touch here; umask
  ss-set ready true
  read x || echo "no stdin"
  env | grep -ic -e secret -e key= || true
  `;
      const step = engine.script('deploy-1', recipe, { module: 'Examples/My Apache', env: { EXTRA: 'more' } });
      await completed(engine.assign([step]));
      expect(engine.story).toEqual(['deploy-1 started', 'deploy-1 done', 'complete 1']);
      expect(engine.params.get('apache.1:ready')).toEqual({ value: 'true', secret: false });
      expect(engine.output(/stdout/).replaceAll(agent.root, '')).toMatchInlineSnapshot(`
        "hello from apache /var/lib/slipstream/examples_my-apache__deployment more
        /opt/slipstream/client/bin/ss-display
        0022
        no stdin
        0
        "
      `);
      expect(statSync(agent.path('var/lib/slipstream/examples_my-apache__deployment')).mode & 0o777).toBe(0o755);
      engine.leave();
      expect(await agent.exit).toBe(0);
      expect(existsSync(agent.path('run/paceline/agent.sock'))).toBe(false);
      // Over is over, also after a restart of the service.
      expect(await agent.start().exit).toBe(0);
      expect(engine.joins).toHaveLength(1);
    });

    /** An agent behind a tunnel, with this program to put the host key in its place. */
    function tunnelled(program: string): AgentProcess {
      engine.hostKey = 'another key';
      const agent = new AgentProcess(engine, bundle, node);
      agents.push(agent);
      writeFileSync(join(agent.mkdir('var/lib/paceline'), 'take-host-key'), program);
      return agent.start();
    }

    test('says that it has taken the host key of its join, also when it is stopped in the middle', async () => {
      const agent = tunnelled('cat >"$0.begun"; exec sleep 600');
      const file = agent.path('var/lib/paceline/take-host-key');
      await engine.until('the program', () => existsSync(`${file}.begun`));
      await agent.kill('SIGTERM');
      writeFileSync(file, 'cat >"$0.taken"');
      agent.start();
      await engine.until('the link', () => engine.connected);
      expect(agent.read('var/lib/paceline/take-host-key.taken')).toBe('another key');
      expect(engine.joins.map(({ tookHostKey }) => tookHostKey)).toEqual([undefined, undefined, true]);
      expect(new Set(engine.joins.map(({ keyHash }) => keyHash)).size).toBe(1);
    });

    test('works on with the host key that it has when it cannot take another, and says why', async () => {
      tunnelled('echo "no room for it" >&2; exit 1');
      await completed(engine.assign([engine.script('a', 'echo fine')]));
      expect(engine.joins.map(({ tookHostKey }) => tookHostKey)).toEqual([undefined]);
      expect(engine.done).toContainEqual(
        expect.objectContaining({
          op: 'notice',
          severity: 'warning',
          message: expect.stringMatching(/user data stays in use: [^]*no room for it/),
        }),
      );
    });

    test('a failed script stops the steps after it, with its last word as the reason', async () => {
      await started();
      engine.assign([
        engine.script('a', 'echo fine'),
        engine.script('b', '#!/bin/sh\necho "first" >&2\necho "No space left" >&2\necho >&2\nexit 3\n'),
        engine.script('c', 'echo never'),
        engine.script('r', 'echo report >$SLIPSTREAM_REPORT_DIR/x', { phase: 'report', label: 'Reporting', immune: true, aborts: false }),
      ]);
      await completed(1);
      expect(engine.story).toMatchInlineSnapshot(`
        [
          "a started",
          "a done",
          "b started",
          "b failed: Failed running 'examples/apache:Deployment' script on 'apache.1': No space left",
          "c stopped",
          "r started",
          "r done",
          "complete 1",
        ]
      `);
      await completed(
        engine.assign([
          engine.script('silent', 'exit 3', { aborts: false }),
          engine.script('killed', 'kill -9 $$', { aborts: false }),
          engine.script('crlf', '#!/bin/bash\r\necho\r\n', { aborts: false }),
          engine.script('none', '#!/usr/bin/nonesuch\n', { aborts: false }),
          engine.script('lost', 'x', { aborts: false, digest: '0'.repeat(64) }),
          { kind: 'packages', id: 'packages', module: 'm', packages: ['sh', 'no-such-package', 'nor-this'] },
        ]),
      );
      expect(engine.story.filter((line) => line.includes('failed:')).slice(1)).toMatchInlineSnapshot(`
        [
          "silent failed: Failed running 'examples/apache:Deployment' script on 'apache.1': exit code 3",
          "killed failed: Failed running 'examples/apache:Deployment' script on 'apache.1': killed by SIGKILL",
          "crlf failed: Failed running 'examples/apache:Deployment' script on 'apache.1': the first line, '#!/bin/bash', ends with a carriage return: save the script with Unix line ends (LF), not Windows ones (CRLF)",
          "none failed: Failed running 'examples/apache:Deployment' script on 'apache.1': there is no interpreter '/usr/bin/nonesuch' on this machine (first line of the script)",
          "lost failed: Failed running 'examples/apache:Deployment' script on 'apache.1': no such script",
          "packages failed: Failed installing packages on 'apache.1': packages no-such-package nor-this are not installed on this host; the local cloud shares the host's software: install them, or use another cloud",
        ]
      `);
      expect(engine.done.filter((op) => op.op === 'notice')).toHaveLength(5);
    });

    test('a blocked ss-get wakes at once when the value comes, also over a restart of the engine', async () => {
      const agent = await started();
      const timed = agent.command('ss-get', ['--timeout', '1', 'nothing']);
      const get = agent.command('ss-get', ['--timeout=30', 'db:host']);
      const other = agent.command('ss-get', ['db:host']);
      await engine.until('a wait', () => engine.waits.includes('db.1:host'));
      await engine.stop();
      await engine.start();
      await engine.until('the wait again', () => engine.waits.includes('db.1:host'));
      const set = performance.now();
      engine.set('db.1:host', ' "10.0.0.1\n10.0.0.2" ');
      expect(await get).toEqual({ code: 0, stdout: '10.0.0.1\n10.0.0.2\n', stderr: 'Waiting for db.1:host\n' });
      expect((await other).code).toBe(0);
      expect(performance.now() - set).toBeLessThan(2000);
      expect(await agent.command('ss-get', ['--noblock', 'nothing'])).toEqual({ code: 0, stdout: '\n', stderr: '' });
      const late = await timed;
      expect(late.code).toBe(9);
      expect(late.stderr.replaceAll('Waiting for apache.1:nothing\n', '')).toBe(
        "\nError: Exceeded timeout limit of 1 waiting for key 'apache.1:nothing' to be set\n",
      );
    });

    test('every command, with every kind of argument', async () => {
      const agent = await started();
      const nasty = ['@file', '=', '', 'a b', "it's", '"q"', '$(x)`y`', '-', '&a=b%20+', 'ü\n€\n😀', '\\n'];
      for (const value of nasty) {
        engine.params.delete('apache.1:k');
        expect(await agent.command('ss-set', ['--', 'k', value])).toEqual({ code: 0, stdout: '', stderr: '' });
        expect(engine.params.get('apache.1:k')?.value).toBe(value || undefined);
      }
      expect((await agent.command('ss-set', ['--file', '-', 'k'], { input: 'from stdin\n' })).code).toBe(0);
      expect(engine.params.get('apache.1:k')?.value).toBe('from stdin\n');
      const big = 'x'.repeat(1024 * 1024);
      writeFileSync(agent.path('big'), big);
      expect((await agent.command('ss-set', ['--file', agent.path('big'), 'k'])).code).toBe(0);
      expect((await agent.command('ss-get', ['k'])).stdout).toBe(`${big}\n`);
      writeFileSync(agent.path('big'), `${big}x`);
      expect((await agent.command('ss-set', [`--file=${agent.path('big')}`, 'k'])).code).toBe(7);
      expect((await agent.command('ss-set', ['only-one'])).code).toBe(2);
      expect((await agent.command('ss-set', ['unknown', 'x'])).code).toBe(7);
      expect(await agent.command('ss-display', ['all is well'])).toMatchObject({ code: 0, stdout: '' });
      expect(engine.params.get('apache.1:statecustom')?.value).toBe('all is well');
      const random = await agent.command('ss-random', ['pass']);
      expect(random.stdout).toMatch(/^[A-Za-z0-9]{12}\n$/);
      expect(`${engine.params.get('apache.1:pass')?.value}\n`).toBe(random.stdout);
      engine.params.set('web:ids', { value: '1,2,10', secret: false });
      engine.set('web.1:up', 'yes');
      engine.set('web.10:up', 'yes');
      expect((await agent.command('ss-get-all', ['--noblock', 'web', 'up'])).stdout).toBe('web.1:up yes\nweb.2:up \nweb.10:up yes\n');
      const all = agent.command('ss-get-all', ['--value', 'yes', 'web', 'up']);
      await engine.until('wait for all', () => engine.waits.includes('*web up'));
      engine.set('web.2:up', 'no');
      expect(await all).toEqual({
        code: 1,
        stdout: 'web.1:up yes\nweb.2:up no\nweb.10:up yes\n',
        stderr: 'Waiting for web.*:up\nRTP value on some components not equal to the expected value: yes\n',
      });
      const barrier = agent.command('ss-wait', ['phase', 'two']);
      await engine.until('the barrier', () => engine.waits.includes('apache.1:phase'));
      engine.set('apache.1:phase', 'two');
      expect((await barrier).code).toBe(0);
      expect((await agent.command('ss-abort', ['--', '-x went wrong'])).code).toBe(0);
      expect(engine.assignment.abort).toBe('-x went wrong');
      const refused = await agent.command('ss-get', ['k']);
      expect([refused.code, refused.stderr]).toEqual([8, '\nError: Abort flag raised!\n']);
      expect((await agent.command('ss-get', ['--ignore-abort', 'phase'])).stdout).toBe('two\n');
      expect((await agent.command('ss-cancel-abort', [])).code).toBe(0);
      expect(engine.assignment.abort).toBe(null);
    });

    test('a barrier asks once for each value', async () => {
      const agent = await started();
      const waits = (): boolean => engine.waits.includes('apache.1:phase');
      engine.set('apache.1:phase', 'one');
      engine.assign([engine.script('b', 'ss-wait phase three; ss-set passed yes')]);
      await engine.until('its first words', () => engine.output(/stderr/) && waits());
      expect(engine.gets).toBe(2);
      engine.set('apache.1:phase', 'two');
      await engine.until('the next wait', waits);
      await engine.stop();
      await engine.start();
      await engine.until('the wait again', waits);
      expect(engine.gets).toBe(4);
      const set = performance.now();
      engine.set('apache.1:phase', '"three" ');
      await completed(1);
      expect(performance.now() - set).toBeLessThan(2000);
      expect(engine.gets).toBe(4);
      expect((await agent.command('ss-wait', ['--timeout', '1', 'phase', 'four'])).stderr).toBe(
        "Waiting for apache.1:phase to be 'four'\n\nError: Exceeded timeout limit of 1 waiting for key 'apache.1:phase' to be 'four'\n",
      );
      expect(engine.gets).toBe(6);
    });

    test('the commands without curl, and the bundle under their names', async () => {
      const agent = await started();
      const bin = agent.mkdir('no-curl');
      for (const tool of ['mktemp', 'cat', 'rm', 'sleep'])
        symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(bin, tool));
      writeFileSync(join(bin, 'curl'), '#!/bin/sh\nexit 2\n', { mode: 0o755 });
      const env = { PATH: bin };
      expect(await agent.command('ss-set', ['k', '@ =\n&'], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(engine.params.get('apache.1:k')?.value).toBe('@ =\n&');
      expect((await agent.command('ss-set', ['--file', '-', 'k'], { env, input: 'piped' })).code).toBe(0);
      expect((await agent.command('ss-get', ['k'], { env })).stdout).toBe('piped\n');
      symlinkSync(bundle, join(bin, 'ss-get'));
      const socket = { PACELINE_SOCKET: agent.path('run/paceline/agent.sock') };
      expect((await runToEnd(node, [join(bin, 'ss-get'), 'k'], { env: socket })).stdout).toBe('piped\n');
      const get = runToEnd(node, [bundle, 'ss-get', 'later'], { env: socket });
      await engine.until('a wait', () => engine.waits.includes('apache.1:later'));
      engine.set('apache.1:later', 'now');
      expect(await get).toEqual({ code: 0, stdout: 'now\n', stderr: 'Waiting for apache.1:later\n' });
    });

    test('an abort ends the script and its children, wakes its ss-get, and leaves the report alone', async () => {
      const agent = await started();
      engine.assign([
        engine.script('long', `sleep 1000 & echo $! >${agent.path('child')}; ss-get never; echo "get $?" >&2; sleep 1000`),
        engine.script('next', 'echo never'),
      ]);
      await engine.until('a wait', () => engine.waits.includes('apache.1:never'));
      const child = Number(agent.read('child'));
      engine.abort('somebody else failed');
      await completed(1);
      expect(engine.story).toEqual(['long started', 'long stopped', 'next stopped', 'complete 1']);
      await engine.until('its children are gone', () => !alive(child));
      engine.assign([engine.script('report', 'ss-get --timeout 30 late', { phase: 'report', immune: true, aborts: false })], {
        abort: 'somebody else failed',
      });
      await engine.until('the report waits', () => engine.waits.includes('apache.1:late'));
      engine.set('apache.1:late', 'value');
      await completed(2);
      expect(engine.story).toContain('report done');
      expect(engine.output(/report.stdout/)).toBe('value\n');
    });

    test('a killed agent finds its script again', async () => {
      const agent = await started();
      const script = `echo before; echo $$ >>${agent.path('starts')}; until [ -e ${agent.path('go')} ]; do sleep 0.05; done; echo after`;
      engine.assign([
        engine.script('one', `echo one >>${agent.path('starts')}`),
        engine.script('two', script),
        engine.script('three', 'echo three'),
      ]);
      await engine.until('first output', () => engine.output(/two.stdout/).includes('before'));
      await agent.kill('SIGKILL');
      await engine.until('the cut', () => !engine.connected);
      agent.start();
      await engine.until('the link', () => engine.connected);
      // A normal restart leaves it alone, too; and it ends while no agent is there.
      await agent.kill('SIGTERM');
      expect(await agent.exit).toBe(0);
      writeFileSync(agent.path('go'), '');
      agent.start();
      await completed(1);
      expect(agent.read('starts')).toMatch(/^one\n\d+\n$/);
      expect(engine.output(/two.stdout/)).toBe('before\nafter\n');
      expect(engine.story).toEqual(['one started', 'one done', 'two started', 'two done', 'three started', 'three done', 'complete 1']);
      expect(engine.joins).toHaveLength(1);
    });

    test('a script that died with its agent counts as killed, and one cut by a reboot begins anew', async () => {
      const agent = await started();
      engine.assign([engine.script('a', `echo $PPID >${agent.path('pid')}; exec sleep 1000`, { aborts: false })]);
      await engine.until('it runs', () => existsSync(agent.path('pid')) && agent.read('pid'));
      await agent.kill('SIGKILL');
      execFileSync('/bin/sh', ['-c', `kill -9 -${agent.read('pid').trim()}`]);
      agent.start();
      await completed(1);
      expect(engine.story).toContain(
        "a failed: Failed running 'examples/apache:Deployment' script on 'apache.1': killed (it left no exit code)",
      );

      engine.assign([engine.script('b', `echo x >>${agent.path('count')}; [ -e ${agent.path('go')} ] || exec sleep 1000`)]);
      await engine.until('it runs', () => existsSync(agent.path('count')));
      await agent.kill('SIGKILL');
      const state = JSON.parse(agent.read('var/lib/paceline/state.json')) as { steps: { b: { bootId: string } } };
      state.steps.b.bootId = 'an earlier boot';
      writeFileSync(agent.path('var/lib/paceline/state.json'), JSON.stringify(state));
      writeFileSync(agent.path('go'), '');
      agent.start();
      await completed(2);
      expect(agent.read('count')).toBe('x\nx\n');
      expect(engine.story).toContain('b done');
    });

    test('a daemon of a script outlives it, and ends with the instance', async () => {
      const agent = await started();
      const script = `nohup sleep 1000 & echo $! >${agent.path('nohup')}
  setsid sh -c 'echo $$ >${agent.path('setsid')}; exec sleep 1000' &
  until [ -s ${agent.path('setsid')} ]; do sleep 0.01; done`;
      await completed(engine.assign([engine.script('d', script)]));
      const daemons = ['nohup', 'setsid'].map((name) => Number(agent.read(name)));
      expect(daemons.map(alive)).toEqual([true, true]);
      engine.leave();
      expect(await agent.exit).toBe(0);
      expect(daemons.map(alive)).toEqual([false, false]);
    });

    test('hides secrets, streams a lot of output but not without end, and sends it all in the report', async () => {
      const agent = await started();
      const secret = 'pässword "1" &';
      engine.set('apache.1:secret', secret, true);
      engine.mask(['early-secret']);
      const script = `secret=$(ss-get secret)
  echo "got $secret and early-secret, base64 $(printf %s "$secret" | base64)"
  echo "again $secret" >&2
  ss-set --secret made "made-by-script"; echo made-by-script
  head -c 12000000 /dev/zero | tr '\\0' 'a'
  ln -s target "$PACELINE_REPORT_DIR/link"; mkfifo "$PACELINE_REPORT_DIR/fifo"
  echo "in a file: $secret" >"$PACELINE_REPORT_DIR/${'long-name/'.repeat(0)}${'n'.repeat(180)}"
  echo "failed with $secret" >&2; exit 1`;
      engine.reportCuts = 1;
      await completed(engine.assign([engine.script('s', script, { aborts: false }), { kind: 'report', id: 'report' }]));
      const text = await engine.until(
        'the end of the output',
        () => engine.output(/s.stdout/).includes('[output goes on') && engine.output(/s.stdout/),
      );
      expect(text.slice(0, 55)).toMatchInlineSnapshot(`
        "got *** and ***, base64 ***
        ***
        aaaaaaaaaaaaaaaaaaaaaaa"
      `);
      expect(text.slice(-90)).toMatch(/a\n\[output goes on in 1-s\.stdout\.log; only the first 10 MiB are streamed\]\n$/);
      expect(engine.logs.get('1-s.stdout.log')).toHaveLength(10 * 1024 * 1024);
      expect(engine.output(/s.stderr/)).toBe('again ***\nfailed with ***\n');
      expect(JSON.stringify(engine.story)).not.toContain('ssword');

      const [[name, report] = ['', undefined]] = [...engine.reports];
      expect(name).toMatch(/^apache\.1_report_\d{4}-\d\d-\d\dT\d{6}Z\.tgz$/);
      expect(report!.data).toHaveLength(report!.size);
      expect(createHash('sha256').update(report!.data).digest('hex')).toBe(report!.sha256);
      writeFileSync(agent.path('report.tgz'), report!.data);
      const list = execFileSync('tar', ['-tf', agent.path('report.tgz')], { encoding: 'utf8' })
        .trim()
        .split('\n');
      expect(list).toEqual([
        'var_log_slipstream_client/',
        'var_log_slipstream_client/1-s.stderr.log',
        'var_log_slipstream_client/1-s.stdout.log',
        'var_log_slipstream_client/link',
        `var_log_slipstream_client/${'n'.repeat(180)}`,
        'var_log_slipstream_client/paceline-agent.log',
      ]);
      const content = execFileSync('tar', ['-xOf', agent.path('report.tgz'), 'var_log_slipstream_client/1-s.stderr.log'], {
        encoding: 'utf8',
      });
      expect(content).toBe(`again ${'*'.repeat(Buffer.byteLength(secret))}\nfailed with ${'*'.repeat(Buffer.byteLength(secret))}\n`);
      expect(readdirSync(agent.path('var/lib/paceline/spool'))).toEqual([]);

      engine.reportStatus = 507;
      await completed(engine.assign([{ kind: 'report', id: 'report' }]));
      expect(engine.done.find((op) => op.op === 'notice' && op.severity === 'error')).toMatchObject({
        message: expect.stringMatching(/no room for reports$/),
      });
      expect(readdirSync(agent.path('var/lib/paceline/spool'))).toHaveLength(1);
    });

    test('a disk that the script fills: the agent says so, and completes', async (context) => {
      const agent = await started({}, { size: '2m', context });
      const fill = (text: string, more: object = {}): Step => engine.script('fill', `${text}`, { aborts: false, ...more });
      // The script itself does not mind, but nobody could know later that it was done.
      const seq = engine.assign([
        fill('yes "so much to say" | head -c 8000000; exit 0', { aborts: true }),
        engine.script('next', 'echo never'),
        engine.script('late', 'echo never', { immune: true, aborts: false }),
        { kind: 'report', id: 'report' },
      ]);
      await completed(seq);
      expect(engine.output(/fill.stdout/)).toMatch(/^(so much to say\n){1000}/);
      expect(engine.story).toEqual([
        'fill started',
        'fill failed: Deployment of examples/apache: the agent could not record how it ended: ENOSPC: no space left on device, write',
        'next stopped',
        'late started',
        expect.stringMatching(/^late failed: Deployment of examples\/apache: the agent could not .*: ENOSPC: no space left on device/),
        'report started',
        "report failed: Failed sending the report of 'apache.1': ENOSPC: no space left on device, write",
        `complete ${seq}`,
      ]);
      expect(readdirSync(agent.path('var/lib/paceline/spool'))).toEqual([]);
      // Nothing of it can be written down: no start, no end, not even which work this is.
      await completed(engine.assign([{ kind: 'packages', id: 'packages', module: 'examples/apache', packages: ['sh'] }]));
      expect(engine.story.at(-2)).toMatch(/^packages failed: Packages of examples\/apache: the agent could not .*: ENOSPC/);
      // With room again all goes on as ever, and what was completed is not done again.
      rmSync(agent.path('var/log/slipstream/client'), { recursive: true });
      agent.mkdir('var/log/slipstream/client');
      await completed(engine.assign([engine.script('again', 'echo "there is room"')]));
      expect(engine.story.at(-2)).toBe('again done');
      engine.leave();
      expect(await agent.exit).toBe(0);
    });

    test('a log that cannot be written is no reason to die', async () => {
      const agent = new AgentProcess(engine, bundle, node);
      agents.push(agent);
      const full = openSync('/dev/full', 'w');
      agent.start(undefined, full);
      closeSync(full);
      await completed(engine.assign([engine.script('a', 'true')]));
      engine.leave();
      expect(await agent.exit).toBe(0);
    });

    test('a completion that the engine has lost is told again, with nothing done twice', async () => {
      const agent = await started();
      for (let seq = 1; seq < 5; seq++) await completed(engine.assign([]));
      const seq = engine.assign([engine.script('once', `echo x >>${agent.path('count')}`)]);
      expect(seq).toBe(5);
      await completed(5);
      const told = (): number => engine.story.filter((line) => line === 'complete 5').length;
      engine.loseCompletion();
      await engine.until('the completion again', () => told() === 2);
      // In the first words of a new connection, too, and after a restart of the agent.
      await engine.stop();
      engine.assignment = { ...engine.assignment, completed: false };
      await engine.start();
      await engine.until('the completion again', () => told() === 3);
      await agent.kill('SIGKILL');
      engine.assignment = { ...engine.assignment, completed: false };
      agent.start();
      await engine.until('the completion again', () => told() === 4);
      expect(agent.read('count')).toBe('x\n');
      expect(engine.assignment.completed).toBe(true);
    });

    test('what was said on a connection that has been replaced is said again on the next one', async () => {
      const agent = await started();
      const { lastOp, session } = engine;
      engine.replaceSession();
      const set = agent.command('ss-set', ['k', 'v']);
      await engine.until('a refusal', () => engine.stale.includes(session));
      expect(engine.lastOp).toBe(lastOp);
      engine.greet();
      expect((await set).code).toBe(0);
      expect(engine.params.get('apache.1:k')?.value).toBe('v');
      expect(engine.lastOp).toBe(lastOp + 1);
    });

    test('a blocked get ends with an error when the engine will not tell', async () => {
      const agent = await started();
      engine.params.set('web:ids', { value: '1', secret: false });
      const get = agent.command('ss-get', ['db:password']);
      const all = agent.command('ss-get-all', ['--ignore-abort', 'web', 'up']);
      await engine.until('the waits', () => engine.waits.includes('db.1:password') && engine.waits.includes('*web up'));
      const refusal = { code: 'PACELINE_FORBIDDEN', httpStatus: 403, message: 'db.1:password is a secret of others' };
      engine.refuse({ key: 'db.1:password', ...refusal });
      engine.refuse({ node: 'web', name: 'up', ...refusal, httpStatus: 404, message: 'There is no web any more' });
      expect(await get).toMatchObject({
        code: 6,
        stdout: '',
        stderr: expect.stringMatching(/\nSecurity Error: db\.1:password is a secret of others\n$/),
      });
      expect(await all).toMatchObject({ code: 7, stdout: '', stderr: expect.stringMatching(/\nError: There is no web any more\n$/) });
    });

    test('refused, revoked: it says so and goes', async () => {
      engine.joinStatus = 403;
      const agent = new AgentProcess(engine, bundle, node);
      agents.push(agent);
      expect(await agent.start().exit).toBe(3);
      expect(agent.stderr).toContain('The engine refused this instance: no more joins');
      engine.joinStatus = 0;
      const second = await started();
      engine.assign([engine.script('a', `echo $$ >${second.path('pid')}; sleep 1000`)]);
      await engine.until('it runs', () => existsSync(second.path('pid')) && second.read('pid'));
      engine.keyHash = 'revoked';
      await engine.stop();
      await engine.start();
      expect(await second.exit).toBe(4);
      expect(alive(Number(second.read('pid')))).toBe(false);
      expect(second.stderr).not.toContain(second.read('var/lib/paceline/key').trim());
    });

    test('reside serves many instances in one process', async () => {
      const others = [engine, await new FakeEngine().start(), await new FakeEngine().start()];
      const agent = new AgentProcess(engine, bundle, node);
      agents.push(agent);
      const dir = agent.mkdir('instances');
      const write = (index: number): void => {
        const { url, secret } = others[index]!;
        const root = agent.mkdir(`root-${index}`);
        writeFileSync(
          join(dir, `${index}.new`),
          JSON.stringify({ url, secret, run: 'run-1', instance: `web.${index}`, root, packages: 'check' }),
        );
        execFileSync('mv', [join(dir, `${index}.new`), join(dir, `${index}.json`)]);
      };
      write(0);
      agent.start(['reside', '--dir', dir, '--idle-exit', '0']);
      await engine.until('the first', () => engine.connected);
      expect(await runToEnd(node, [bundle, 'reside', '--dir', dir])).toMatchObject({ code: 0, stderr: `Another resident serves ${dir}\n` });
      write(1);
      write(2);
      for (const other of others) {
        await other.until('the link', () => other.connected);
        other.assign([other.script('s', 'echo "$PACELINE_INSTANCE"; ss-set me "$PACELINE_INSTANCE"; exec sleep 1000')]);
      }
      for (const [index, other] of others.entries())
        await other.until('its value', () => other.params.get(`web.${index}:me`)?.value === `web.${index}`);
      const pids = others.map((_, index) =>
        Number(execFileSync('cat', [join(agent.path(`root-${index}`), 'var/lib/paceline/steps/1-s.1.begun')], { encoding: 'utf8' })),
      );
      await agent.kill('SIGTERM');
      expect(pids.map(alive)).toEqual([true, true, true]);
      for (const other of others) await other.until('the cut', () => !other.connected);
      agent.start(['reside', '--dir', dir, '--idle-exit', '0']);
      for (const other of others) await other.until('the link', () => other.connected);
      others[1]!.leave();
      await others[1]!.until('one has left', () => !others[1]!.connected && !alive(pids[1]!));
      expect(alive(pids[0]!)).toBe(true);
      rmSync(join(dir, '0.json'));
      rmSync(join(dir, '2.json'));
      expect(await agent.exit).toBe(0);
      expect(pids.map(alive)).toEqual([false, false, false]);
      await Promise.all(others.slice(1).map((other) => other.stop()));
    });

    defineExaminationTests(started, () => engine);
  });
}
