import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Person } from '../support/command.ts';

/** Their machines stand on the files of this host, so what is installed here need not be installed in each of them. */
function whyNot(packages: string[]): string | undefined {
  if (process.platform !== 'linux') return 'sandbox machines need Linux';
  if (process.getuid?.() !== 0) return "only root's machines can stand on the files of this host";
  if (process.env['PACELINE_TEST_INSTALLS'] === '1') return undefined;
  const isThere = spawnSync('dpkg', ['-s', ...packages], { stdio: 'ignore' }).status === 0;
  return isThere ? undefined : `machines would have to install ${packages.join(', ')}: set PACELINE_TEST_INSTALLS=1 to let them`;
}

let person: Person;
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

async function up(example: string, ...parameters: string[]): Promise<string> {
  const { code, stdout, stderr } = await person.type([
    'up',
    `examples/${example}`,
    '--cloud',
    'sandbox',
    '--keep-running',
    'never',
    ...parameters,
  ]);
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

const noPostgres = whyNot(['postgresql', 'postgresql-client']);
describe.skipIf(noPostgres !== undefined)(`postgres-replication${noPostgres === undefined ? '' : ` (${noPostgres})`}`, () => {
  it('starts from built images, installs nothing any more, and has on each standby what was written to the primary', async () => {
    const build = async (node: string): Promise<string> => {
      const built = await person.type(['build', `examples/postgres-replication/${node}`, '--cloud', 'sandbox']);
      expect(built.code, built.stdout + built.stderr).toBe(0);
      return built.stdout;
    };
    const [primary, standby, client] = [await build('primary'), await build('standby'), await build('client')];
    // What both install is the same, so it is one image.
    expect(standby).toContain('(was built)');
    const nameOf = (line: string): string | undefined => /paceline-\S+/.exec(line)?.[0];
    expect(nameOf(standby)).toBe(nameOf(primary));
    expect(nameOf(client)).not.toBe(nameOf(primary));
    expect(await up('postgres-replication', '-p', 'standbys=2', '-p', 'rows=200')).toContain('ss:result = 200 rows are on 2 standbys');
    const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string; name: string }[] };
    const [run] = runs.filter(({ name }) => name === 'postgres-replication');
    const events = (await person.type(['events', run?.id ?? ''])).stdout;
    expect(events).toContain('Deployment of postgres-replication/standby done');
    expect(events).not.toContain('Packages of');
    for (const image of new Set([primary, client].map(nameOf)))
      expect((await person.type(['images', image ?? '', '--delete'])).code).toBe(0);
  }, 900_000);
});

const noSlurm = whyNot(['munge', 'slurmctld', 'slurmd', 'slurm-client']);
describe.skipIf(noSlurm !== undefined)(`slurm-cluster${noSlurm === undefined ? '' : ` (${noSlurm})`}`, () => {
  it('runs a job on all workers at once', async () => {
    expect(await up('slurm-cluster', '-p', 'workers=2')).toContain('ss:result = worker-1 worker-2');
  }, 900_000);
});
