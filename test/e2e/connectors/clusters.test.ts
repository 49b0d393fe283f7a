import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Person } from '../../support/command.ts';
import { filesOf } from '../../support/tar.ts';
import { clouds, leaveNothing, onlyRun, personWith } from './clouds.ts';

/** They have systemd, and nothing of what the examples need: it is installed from the mirror of the image. */
const { why } = clouds.lxd;
const workers = Number(process.env['PACELINE_TEST_WORKERS'] ?? 3);
const limitMs = 2_400_000;

let person: Person;
beforeEach(async () => {
  person = await personWith();
});
afterEach(() => leaveNothing(person));

async function succeeds(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await person.type(args);
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

/** What an instance has put into its report, by the name of the file. */
async function reported(run: string, instance: string): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-reports-'));
  await succeeds('reports', run, '--get', folder);
  const { reports } = JSON.parse(await succeeds('reports', run, '--json')) as { reports: { name: string; instance: string }[] };
  const name = reports.find((report) => report.instance === instance)?.name ?? '';
  const files = await filesOf(await readFile(join(folder, run, name)));
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path.split('/').at(-1) ?? '', text]));
}

test(
  'postgres-replication on lxd has on each standby what was written to the primary',
  async ({ skip }) => {
    skip(why !== undefined, why);
    const up = ['up', 'examples/postgres-replication', '--cloud', 'lxd', '-p', 'standbys=2', '-p', 'rows=500', '--keep-running', 'never'];
    expect(await succeeds(...up)).toContain('ss:result = 500 rows are on 2 standbys');
    const { id } = await onlyRun(person);
    const log = (await reported(id, 'standby.2'))['postgresql-15-main.log'];
    expect(log).toContain('started streaming WAL from primary');
  },
  limitMs,
);

test(
  `slurm-cluster on lxd, of built images, runs a job on ${workers} workers at once`,
  async ({ skip }) => {
    skip(why !== undefined, why);
    for (const image of ['controller', 'worker']) await succeeds('build', `examples/slurm-cluster/${image}`, '--cloud', 'lxd');
    const up = ['up', 'examples/slurm-cluster', '--cloud', 'lxd', '-p', `workers=${workers}`, '--keep-running', 'never'];
    const names = Array.from({ length: workers }, (_, at) => `worker-${at + 1}`);
    expect(await succeeds(...up)).toContain(`ss:result = ${names.join(' ')}\n`);
    const { job } = await reported((await runs())[0] ?? '', 'controller.1');
    expect(job?.trim().split('\n').toSorted()).toEqual(names.toSorted());
  },
  limitMs,
);

/** Of the deployment, not of what was built for it. */
async function runs(): Promise<string[]> {
  const { runs: all } = JSON.parse(await succeeds('list', '--json')) as { runs: { id: string; name: string }[] };
  return all.filter(({ name }) => name === 'slurm-cluster').map(({ id }) => id);
}
