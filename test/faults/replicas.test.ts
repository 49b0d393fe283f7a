import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEntry, CreatedToken } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresPrograms, withoutPostgres } from '../support/postgres.ts';
import { deploymentOf, type TestNode } from '../support/recipes.ts';
import { Replicas } from '../support/replicas.ts';
import type { SystemRun } from '../support/system.ts';
import { until } from '../support/until.ts';

/** Longer than a lease, with all that a take-over needs on a busy machine. */
const takeOverMs = 60_000;

const note = 'echo deploy >> "$HOME/ran"';
/** Machines that exchange a value and wait for the test, so that anything can happen in between. */
const nodes: Record<string, TestNode> = {
  server: {
    parameters: { go: {}, token: { output: true } },
    scripts: { deploy: `${note}; ss-set token abc; ss-get --timeout 0 go; echo done` },
  },
  client: {
    multiplicity: 2,
    parameters: { token: {}, go: {} },
    inputs: { token: { from: 'server:token' } },
    scripts: { deploy: `${note}; test "$(ss-get token)" = abc; ss-get --timeout 0 go` },
  },
};
const names = ['server.1', 'client.1', 'client.2'];

describe.skipIf(postgresPrograms === undefined)(`servers on one PostgreSQL${postgresPrograms === undefined ? withoutPostgres : ''}`, () => {
  let replicas: Replicas;
  beforeAll(async () => {
    replicas = await Replicas.start(2);
  }, 60_000);
  afterAll(() => replicas.close(), 60_000);

  async function waiting(): Promise<SystemRun> {
    const run = await replicas.up(await deploymentOf(nodes));
    await allWait(run);
    return run;
  }

  async function allWait(run: SystemRun): Promise<void> {
    await until(async () => {
      const { instances } = await run.detail();
      assert.ok(
        instances.every(({ blockedIn }) => blockedIn.some((key) => key.endsWith(':go'))),
        JSON.stringify(instances.map(({ name, step, blockedIn, connected }) => ({ name, step, blockedIn, connected }))),
      );
    }, takeOverMs);
  }

  /** Lets the machines finish, and checks that everything happened once and nothing is left. */
  async function finish(run: SystemRun): Promise<void> {
    for (const name of names) await run.set(`${name}:go`, 'now');
    const ready = await run.reaches('Ready');
    expect(ready.abort).toBeNull();
    for (const { machineId } of ready.instances) {
      const [ran] = globSync('**/ran', { cwd: join(replicas.localRoot, 'machines', machineId ?? '') });
      expect(await readFile(join(replicas.localRoot, 'machines', machineId ?? '', ran ?? ''), 'utf8')).toBe('deploy\n');
    }
    expect((await run.reports()).map(({ instance }) => instance).toSorted()).toEqual(names.toSorted());
    await run.down();
    await run.reaches('Done');
    const events = await run.events();
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
    const launched = events.filter(({ type, data }) => type === 'instance.machine' && data['status'] === 'launched');
    expect(launched).toHaveLength(names.length);
  }

  it('record once who has asked, when one hands a request over to the other', async () => {
    const run = await waiting();
    await replicas.call('PUT', '/api/users/alice');
    await replicas.call('PUT', '/api/users/alice/grants/*', { role: 'operator' });
    const { token } = await replicas.call<CreatedToken>('POST', '/api/tokens', { title: 'a test', user: 'alice' });
    const owner = await replicas.ownerOf(run);
    for (const [index, { url }] of replicas.all.entries()) {
      const answer = await fetch(`${url}/api/runs/${run.id}/parameters/server.1:token`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'paceline-on-behalf-of': `user:default/dora${index}`,
          // Nobody evades the record by passing for a replica.
          ...(url === owner.url ? { 'x-paceline-forwarded': '1' } : {}),
        },
        body: JSON.stringify({ value: 'abc' }),
      });
      expect(answer.status, await answer.text()).toBe(200);
    }
    const { entries } = await replicas.call<{ entries: AuditEntry[] }>('GET', '/api/audit');
    const said = entries.filter(({ subject, actor }) => subject.startsWith(run.id) && actor.includes('dora'));
    expect(said.map(({ actor, status }) => `${actor}: ${status}`).toSorted()).toEqual([
      'user:default/dora0 via alice: 200',
      'user:default/dora1 via alice: 200',
    ]);
    await finish(run);
  });

  it('answer for every run, whoever drives it, and tell its agents at once', async () => {
    const run = await waiting();
    for (let i = 0; i < 4; i++) {
      expect((await run.detail()).instances.every(({ connected }) => connected)).toBe(true);
      expect(await run.get('client.1:token')).toBe('abc');
    }
    await finish(run);
  });

  it('take over from one that is killed', async () => {
    const run = await waiting();
    const owner = await replicas.ownerOf(run);
    await replicas.end(owner, 'SIGKILL');
    await allWait(run);
    expect(await replicas.ownerOf(run)).not.toBe(owner);
    await replicas.add();
    await finish(run);
  }, 120_000);

  it('take over from one that stands still, which can do no harm when it goes on', async () => {
    const run = await waiting();
    const owner = await replicas.ownerOf(run);
    owner.child.kill('SIGSTOP');
    const other = replicas.all.find((each) => each !== owner);
    await until(async () => assert.equal(await replicas.ownerOf(run), other), takeOverMs);
    owner.child.kill('SIGCONT');
    await allWait(run);
    expect(await replicas.ownerOf(run)).toBe(other);
    await finish(run);
  }, 120_000);

  it('go on when their connections are cut, and when the database was away', async () => {
    const run = await waiting();
    await replicas.postgres.execute(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
    );
    await run.set('server.1:url.service', 'http://after-the-cut');
    await replicas.postgres.kill();
    await replicas.postgres.start();
    await allWait(run);
    expect(await run.get('server.1:url.service')).toBe('http://after-the-cut');
    await finish(run);
  }, 120_000);

  it('can be replaced one after the other while a run goes on', async () => {
    const run = await waiting();
    for (const old of [...replicas.all]) {
      await replicas.add();
      await replicas.end(old, 'SIGTERM');
      const begun = performance.now();
      await run.set('server.1:statecustom', 'still here');
      // A server that goes in good order hands its runs over: nobody waits for a lease to end.
      expect(performance.now() - begun).toBeLessThan(8000);
    }
    await allWait(run);
    await finish(run);
  }, 120_000);
});
