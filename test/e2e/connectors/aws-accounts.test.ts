import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Person } from '../../support/command.ts';
import { LoggedIn, openMoto, whyNoMoto } from '../../support/moto.ts';
import { until } from '../../support/until.ts';

const deployment = `apiVersion: paceline.dev/v1
kind: Deployment
metadata: { name: pair }
spec: { nodes: { n: { image: ./image.yaml, multiplicity: 2, cloud: paris } } }
`;

afterEach(() => vi.unstubAllEnvs());

describe.skipIf(whyNoMoto !== undefined)(`a run on EC2${whyNoMoto === undefined ? '' : ` (${whyNoMoto})`}`, () => {
  it('is not over because the credentials are of another account by now', async () => {
    await using moto = await openMoto();
    const person = await Person.arrive();
    const folder = await mkdtemp(join(tmpdir(), 'paceline-pair-'));
    const login = new LoggedIn(folder);
    vi.stubEnv('AWS_CONFIG_FILE', login.configFile);
    try {
      await writeFile(join(folder, 'image.yaml'), 'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: machine }\nspec: {}\n');
      await writeFile(join(folder, 'deployment.yaml'), deployment);
      const aws = { connector: 'aws', region: 'eu-west-3', endpoint: moto.url, profile: 'changing', image: 'ami-03cf127a', login: 'admin' };
      const paris = { ...aws, reach: 'direct' };
      await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds: { paris } }));
      const [ours, other] = [await moto.keysOf('111111111111'), await moto.keysOf('222222222222')];
      const place = (account: string): string => `aws ${account} eu-west-3 at ${moto.url}`;

      await login.with(ours);
      const up = await person.type(['up', join(folder, 'deployment.yaml'), '--detach']);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string }[] };
      const id = runs[0]?.id ?? '';
      const look = async (): Promise<RunDetail> => JSON.parse((await person.type(['status', id, '--json'])).stdout) as RunDetail;
      await until(async () => expect((await look()).instances.map(({ stage }) => stage)).toEqual(['booting', 'booting']));

      await login.with(other);
      expect((await person.type(['down', id, '--no-wait'])).code).toBe(0);
      const events = await until(async () => {
        const { stdout } = await person.type(['events', id, '--json']);
        expect(stdout).toContain('PACELINE_CLOUD_ACCOUNT');
        return stdout;
      });
      expect(events).toContain(`lead to ${place('222222222222')}, and the machines of this run are in ${place('111111111111')}`);
      expect((await look()).state).toBe('Finalizing');
      const clouds = await person.type(['clouds']);
      expect(clouds.stdout).toContain(`Give the cloud paris credentials of ${place('111111111111')}.`);
      const reaped = await person.type(['reap']);
      expect(reaped.stderr).toContain(`paris was looked into as ${place('222222222222')}.`);
      expect([reaped.code, reaped.stdout]).toEqual([6, '']);

      await login.with(ours);
      await until(async () => expect((await look()).state).toBe('Cancelled'), 90_000);
      const last = await person.type(['reap']);
      expect([last.code, last.stdout]).toEqual([0, 'Nothing is left over (0 in use)\n']);
      expect(last.stderr).toContain(`paris was looked into as ${place('111111111111')}.`);
    } finally {
      await person.leave();
      await rm(folder, { recursive: true });
    }
  }, 240_000);
});
