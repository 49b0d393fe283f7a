import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { openFaultProxy, type ProxiedRequest, type ProxyFault } from '@paceline/engine/conformance';
import { describe, expect, it } from 'vitest';
import { Person } from '../../support/command.ts';
import { until } from '../../support/until.ts';
import { onlyRun } from './clouds.ts';

const cloudsFile = join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'openstack', 'clouds.yaml');
const why = await whyNoOpenstack();

/** What a testbed has left says nothing; its Keystone does. */
async function whyNoOpenstack(): Promise<string> {
  const text = await readFile(cloudsFile, 'utf8').catch(() => '');
  const url = /auth_url: (\S+)/.exec(text)?.[1];
  const answers =
    url !== undefined &&
    (await fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
      ({ ok }) => ok,
      () => false,
    ));
  return answers ? '' : ' (there is no OpenStack here: npm run testbed -- openstack)';
}

const image = `apiVersion: paceline.dev/v1
kind: Image
metadata: { name: machine }
spec:
  clouds: { openstack: { image: debian-12, login: debian } }
  ports: [{ port: 8080 }]
`;

const deployment = `apiVersion: paceline.dev/v1
kind: Deployment
metadata: { name: fleet }
spec:
  nodes:
    many: { image: ./image.yaml, multiplicity: 50, cloud: lab }
    one: { image: ./image.yaml, cloud: here }
`;

/** Its machines run nothing, so that none of them reaches an engine or is reached by one. */
const lab = { connector: 'openstack', cloud: 'paceline', reach: 'direct' };
const nova = 'http://127.0.0.1:25003';

/** The instances of the only run, once each of so many has an address. */
async function withAddresses(person: Person, count: number): Promise<RunDetail['instances']> {
  const { abort, instances } = await until(
    async () => {
      const run = await onlyRun(person);
      const known = run.instances.filter(({ address }) => address !== null);
      if (run.abort === null && known.length < count) throw new Error(`${known.length} of ${count} machines have addresses`);
      return run;
    },
    600_000,
    2000,
  );
  expect(abort).toBeNull();
  return instances;
}

/** What Nova itself says, with the token that the engine has used. */
async function serversOf(run: string, seen: readonly ProxiedRequest[]): Promise<string[]> {
  const token = String(seen.at(-1)?.headers['x-auth-token']);
  const response = await fetch(`${nova}/v2.1/servers/detail`, { headers: { 'x-auth-token': token } });
  const { servers } = (await response.json()) as { servers: { name: string; metadata: Record<string, string> }[] };
  return servers.filter(({ metadata }) => metadata['paceline:run'] === run).map(({ name }) => name);
}

describe.skipIf(why !== '')(`a run on OpenStack and on this host${why}`, () => {
  it('has fifty machines with addresses, is cancelled in the middle, and leaves nothing on either', async () => {
    const person = await Person.arrive();
    const folder = await mkdtemp(join(tmpdir(), 'paceline-fleet-'));
    try {
      await writeFile(join(folder, 'image.yaml'), image);
      await writeFile(join(folder, 'deployment.yaml'), deployment);
      const clouds = { lab: { ...lab, cloudsFile }, here: { connector: 'local' } };
      await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds }));
      const up = await person.type(['up', join(folder, 'deployment.yaml'), '--detach', '--timeout', '30m']);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const { id } = await onlyRun(person);
      const instances = await withAddresses(person, 51);
      // The machine of this host is real: its agent has called. Those of the fake driver have addresses, which is all that they can.
      expect(new Set(instances.map(({ address }) => address)).size).toBe(51);
      expect((await person.type(['down', id])).code).toBe(0);
      expect((await onlyRun(person)).state).toBe('Cancelled');
      expect((await person.type(['reap'])).stdout).toContain('Nothing is left over (0 in use)');
    } finally {
      // With nothing to name it ends the only run there is.
      await person.type(['down']);
      await person.leave();
      await rm(folder, { recursive: true });
    }
  }, 1_800_000);

  it('has all its machines once, and loses none of them in the end, though its cloud turns every sixth request away for its speed', async () => {
    const person = await Person.arrive();
    const folder = await mkdtemp(join(tmpdir(), 'paceline-slow-'));
    await using proxy = await openFaultProxy(nova);
    let [asked, refused] = [0, 0];
    // Clouds say it in both ways.
    const tooFast = (): ProxyFault => ({ answer: { status: refused++ % 2 === 0 ? 429 : 413, headers: { 'retry-after': '1' } } });
    proxy.fault = () => (++asked % 6 === 0 ? tooFast() : undefined);
    try {
      await writeFile(join(folder, 'image.yaml'), image);
      await writeFile(join(folder, 'deployment.yaml'), deployment);
      const through = (await readFile(cloudsFile, 'utf8')).replace(/^( +)(auth:)/m, `$1compute_endpoint_override: ${proxy.url}/v2.1\n$1$2`);
      await writeFile(join(folder, 'slow.yaml'), through);
      const clouds = {
        lab: { ...lab, cloudsFile: join(folder, 'slow.yaml') },
        here: { connector: 'local' },
      };
      await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds }));
      const up = await person.type(['up', join(folder, 'deployment.yaml'), '--detach', '--timeout', '30m', '-p', 'many:multiplicity=20']);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const { id } = await onlyRun(person);
      await withAddresses(person, 21);
      expect(await serversOf(id, proxy.seen)).toHaveLength(20);
      expect((await person.type(['down', id])).code).toBe(0);
      expect(await serversOf(id, proxy.seen)).toEqual([]);
      expect(refused).toBeGreaterThan(5);
    } finally {
      await person.type(['down']);
      await person.leave();
      await rm(folder, { recursive: true });
    }
  }, 1_800_000);

  it('is refused with the numbers when the quota of its project is too small, and goes to another cloud that it may go to', async () => {
    const person = await Person.arrive();
    const folder = await mkdtemp(join(tmpdir(), 'paceline-quota-'));
    try {
      await writeFile(join(folder, 'image.yaml'), image);
      await writeFile(join(folder, 'deployment.yaml'), deployment);
      const clouds = { lab: { connector: 'openstack', cloud: 'small', cloudsFile }, here: { connector: 'local' } };
      await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds }));
      const up = (...options: string[]) => person.type(['up', join(folder, 'deployment.yaml'), '--detach', ...options]);
      const refused = await up('-p', 'many:multiplicity=3');
      expect(refused.code).toBe(6);
      expect(refused.stderr).toContain('many: lab has 2 of 2 machines left for it, and 3 are wanted [PACELINE_NO_ROOM]');
      expect((await person.type(['list', '--json'])).stdout).toBe('{"runs":[]}\n');
      expect((await up('-p', 'many:multiplicity=3', '-p', 'many:cloud=lab,here')).code).toBe(0);
      const status = await person.type(['status', '--json']);
      const { instances } = JSON.parse(status.stdout) as RunDetail;
      expect(instances.map(({ cloud }) => cloud)).toEqual(['here', 'here', 'here', 'here']);
    } finally {
      await person.type(['down']);
      await person.leave();
      await rm(folder, { recursive: true });
    }
  });
});
