import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageView, RunDetail } from '@paceline/api';
import { describe, expect, test } from 'vitest';
import type { Person } from '../../support/command.ts';
import { clouds, leaveNothing, longOnQemu, personWith, type CloudName } from './clouds.ts';

/** What a machine says of itself: what must be its own, and what it has from others. */
const self = `#!/bin/sh
set -e
builder=$(ss-get builder)
ss-set machine "$(cat /etc/machine-id)"
ss-set key "$(cut -d ' ' -f 2 /etc/ssh/ssh_host_ed25519_key.pub)"
ss-set cloud "$(cat /var/lib/cloud/data/instance-id)"
ss-set made "$(cat /opt/made)"
ss-set left "$(grep -rlIF -e "$builder" -e "$(cat /opt/made)" /etc /home /opt /root /srv /tmp /usr/local /var 2>/dev/null | sort | tr '\\n' ' ')"
`;

/** A project whose image notes on which machine it was made. @returns its path */
async function project(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-project-'));
  await mkdir(join(folder, 'box'));
  await writeFile(join(folder, 'box/made.sh'), '#!/bin/sh\ncat /etc/machine-id > /opt/made\n');
  await writeFile(join(folder, 'box/self.sh'), self);
  const outputs = ['machine', 'key', 'cloud', 'made', 'left'].map((name) => `    ${name}: { output: true }\n`).join('');
  await writeFile(
    join(folder, 'box/image.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: box }\nspec:\n' +
      `  parameters:\n    builder: { required: true }\n${outputs}  scripts: { postInstall: made.sh, deploy: self.sh }\n`,
  );
  await writeFile(
    join(folder, 'deployment.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: two }\nspec:\n' +
      '  parameters: { builder: { required: true } }\n' +
      '  nodes: { box: { image: ./box, multiplicity: 2, parameters: { builder: "${{ parameters.builder }}" } } }\n  timeout: 9m\n',
  );
  return folder;
}

async function json<T>(person: Person, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await person.type([...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

const cases: { cloud: CloudName; skipped?: string }[] = [{ cloud: 'lxd' }, { cloud: 'qemu', ...longOnQemu }];

describe.each(cases)('two machines of one image that was built on $cloud', ({ cloud, skipped }) => {
  test('differ in all that is their own, and have nothing of the machine that it was made of', async ({ skip }) => {
    const why = clouds[cloud].why ?? skipped;
    skip(why !== undefined, why);
    const person = await personWith();
    try {
      const folder = await project();
      const build = ['build', join(folder, 'box'), '--cloud', cloud];
      const built = await person.type(build);
      expect(built.code, built.stdout + built.stderr).toBe(0);
      const again = await person.type(build);
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('(was built)')]);
      const { images } = await json<{ images: ImageView[] }>(person, 'images');
      const [image] = images;

      const up = await person.type(['up', folder, '--cloud', cloud, '-p', `builder=${image?.run}`]);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const said = async (name: string): Promise<string[]> =>
        Promise.all(['box.1', 'box.2'].map(async (box) => (await person.type(['get', `${box}:${name}`])).stdout.trim()));
      const made = await said('made');
      expect(made[0]).toMatch(/^[0-9a-f]{32}$/);
      expect(made[1]).toBe(made[0]);
      for (const own of ['machine', 'key', 'cloud']) {
        const values = await said(own);
        expect(
          values.every((value) => value.length > 8),
          `${own}: ${values.join(', ')}`,
        ).toBe(true);
        expect(new Set(values).size, `${own} of both`).toBe(2);
        if (own === 'machine') expect(values).not.toContain(made[0]);
      }
      expect(await said('left')).toEqual(['/opt/made', '/opt/made']);
      const run = await json<RunDetail>(person, 'status');
      expect((await person.type(['events', run.id])).stdout).not.toMatch(/Post-install/);
      expect((await person.type(['down'])).code).toBe(0);
      expect(await json(person, 'images', image?.image ?? '', '--delete')).toEqual({ images: [] });
    } finally {
      await leaveNothing(person);
    }
  }, 900_000);
});
