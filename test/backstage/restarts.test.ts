import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type RunDetail } from '@paceline/api';
import { loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, startBackstage, type Backstage } from '../../backstage-plugin/dev/backstage.ts';
import { Balancer } from '../support/balancer.ts';
import { postgresPrograms, startPostgres, withoutPostgres, type PostgresCluster } from '../support/postgres.ts';
import { processesWith } from '../support/processes.ts';
import { System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Visitor } from './visitor.ts';

/** So often the back end is killed; the goal is a hundred. */
const restarts = Number(process.env['RESTARTS'] ?? 1);
/** A task keeps 2,000 lines, whatever happens; between two deaths there is half a minute. */
const pauseSeconds = restarts > 10 ? 2 : 0.2;
const limitMs = 120_000 + restarts * 90_000;
const line = /^info: one\.1 \| line (\d+)$/;

/** Prints one line after another until it is told to stop. */
async function counts(): Promise<ResolvedDeployment> {
  const module = (kind: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name: 'counts' }, spec });
  const deploy = `#!/bin/sh
n=0
until [ -n "$(ss-get --noblock stop)" ]; do n=$((n+1)); echo "line $n"; sleep ${pauseSeconds}; done
ss-set last $n
`;
  const files = {
    '/p/image.yaml': module('Image', { parameters: { stop: {}, last: { output: true } }, scripts: { deploy } }),
    '/p/deployment.yaml': module('Deployment', { nodes: { one: { image: './image.yaml' } }, timeout: '2h' }),
  };
  return (await loadModule('/p/deployment.yaml', { fs: memoryFiles(files) })).deployment;
}

const numbersIn = (log: readonly string[]): number[] => log.flatMap((text) => line.exec(text)?.slice(1).map(Number) ?? []);

/** Waits until the log of a task has so many lines of the machine. @returns how many it has */
function lines(guest: Visitor, task: string, atLeast: number): Promise<number> {
  return until(
    async () => {
      const { log, status } = await guest.task(task);
      const found = numbersIn(log).length;
      assert.ok(found >= atLeast, `the task is ${status} and has ${found} lines:\n${log.slice(-10).join('\n')}`);
      return found;
    },
    120_000,
    200,
  );
}

/** What a task has logged, of a run that has printed so many lines: each line and each event once. */
function expectWhole(log: readonly string[], last: number, run: string): void {
  expect(numbersIn(log).toSorted((a, b) => a - b)).toEqual(Array.from({ length: last }, (_none, index) => index + 1));
  expect(log.filter((text) => text.startsWith(`info: Run ${run}`))).toHaveLength(1);
  expect(log.filter((text) => /^info: .*\bReady\b/.test(text))).toHaveLength(1);
}

const missing = !isInstalled ? ' (to install it: npm ci --prefix backstage-plugin)' : postgresPrograms === undefined ? withoutPostgres : '';
describe.skipIf(missing !== '')(`a real Backstage on PostgreSQL${missing}`, () => {
  let postgres: PostgresCluster;
  let folder = '';
  let log = '';
  beforeAll(async () => {
    postgres = await startPostgres({ connections: 300 });
    folder = await mkdtemp(join(tmpdir(), 'paceline-backstage-restarts-'));
  }, 60_000);
  afterAll(async () => {
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it(`keeps a run and resumes its log when it is killed, ${restarts} of ${restarts} times`, { timeout: limitMs }, async () => {
    const system = await System.start();
    const paceline = { url: system.url, token: system.token };
    await system.call('POST', '/api/modules', { deployment: await counts() });
    const database = await postgres.createDatabase();
    const start = (port: number): Promise<Backstage> => startBackstage({ paceline, port, database, log: (text) => (log += text) });
    let backstage = await start(0);
    const port = Number(new URL(backstage.url).port);
    try {
      const guest = await Visitor.guest(backstage.url);
      await guest.entity('template/default/run-counts');
      const task = await guest.begin('run-counts', { runName: 'counted' });
      let known = await lines(guest, task, 5);
      for (let death = 1; death <= restarts; death++) {
        await backstage.stop('SIGKILL');
        backstage = await start(port);
        known = await lines(guest, task, known + 3);
      }
      const { id } = await system.call<RunDetail>('GET', '/api/runs/counted');
      await system.call('PUT', `/api/runs/${id}/parameters/one.1:stop`, { value: 'now' });
      const { status, log: said } = await guest.end(task);
      expect(status, said.slice(-20).join('\n')).toBe('completed');
      const { value } = await system.call<{ value: string }>('GET', `/api/runs/${id}/parameters/one.1:last`);
      expectWhole(said, Number(value), id);
      expect((await system.call<{ runs: unknown[] }>('GET', '/api/runs')).runs).toHaveLength(1);
    } finally {
      await backstage.stop();
      await system.close();
    }
  });

  it('has a run and its task gone on with by the other back end when one is killed, whichever it is', { timeout: 400_000 }, async () => {
    const [state, clouds, root] = [join(folder, 'state'), join(folder, 'clouds.yaml'), join(folder, 'local')];
    await writeFile(clouds, `clouds: { local: { connector: local, root: ${JSON.stringify(root)} } }\n`);
    let alive: Backstage[] = [];
    const balancer = await Balancer.open(() => alive.map(({ url }) => url), 'localhost');
    const database = await postgres.createDatabase();
    const add = async (): Promise<Backstage> => {
      const options = { paceline: { state, clouds }, port: 0, database, publicUrl: balancer.url };
      const backstage = await startBackstage({ ...options, log: (text) => (log += text) });
      alive.push(backstage);
      return backstage;
    };
    const kill = async (backstage: Backstage): Promise<void> => {
      alive = alive.filter((each) => each !== backstage);
      await backstage.stop('SIGKILL');
    };
    try {
      const first = await add();
      const second = await add();
      const token = (await readFile(join(state, 'operator.token'), 'utf8')).trim();
      const engine = createClient({ url: `${balancer.url}/api/paceline/engine`, token });
      await engine.modules.publish({ deployment: await counts() });
      const guest = await Visitor.guest(balancer.url);
      await guest.entity('template/default/run-counts');
      const task = await guest.begin('run-counts', { runName: 'handed-over' });
      let known = await lines(guest, task, 5);
      await kill(first);
      known = await lines(guest, task, known + 5);
      await add();
      await kill(second);
      await lines(guest, task, known + 5);
      const run = await until(() => engine.runs.get('handed-over'));
      expect(run.createdBy).toMatch(/^user:development\/guest via /);
      await until(() => engine.parameters.set(run.id, 'one.1:stop', 'now'));
      const { status, log: said } = await guest.end(task);
      expect(status, said.slice(-20).join('\n')).toBe('completed');
      expectWhole(said, Number((await engine.parameters.get(run.id, 'one.1:last')).value), run.id);
      expect(await engine.runs.list()).toHaveLength(1);
      const ended = await guest.execute('end-a-run', { run: run.id });
      expect(ended.status, ended.log.join('\n')).toBe('completed');
      await until(() => assert.deepEqual(processesWith(`${root}/`), []), 15_000, 50);
    } finally {
      for (const backstage of alive) await backstage.stop();
      balancer.close();
    }
  });
});
