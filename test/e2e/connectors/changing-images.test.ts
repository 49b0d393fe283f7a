import { randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageView } from '@paceline/api';
import { expect, test } from 'vitest';
import { askLxd, lxdImage } from '../../support/lxd.ts';
import { clouds, leaveNothing, personWith } from './clouds.ts';

const aliases = '/1.0/images/aliases';

/** An image that installs one file, on the native image of a name. @returns its path */
async function moduleOn(native: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-project-'));
  await writeFile(join(folder, 'install.sh'), '#!/bin/sh\necho installed >/opt/installed\n');
  await writeFile(join(folder, 'deploy.sh'), '#!/bin/sh\nss-set said "$(cat /opt/installed)"\n');
  await writeFile(
    join(folder, 'image.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: box }\nspec:\n' +
      `  clouds: { lxd: { image: ${native} } }\n  parameters: { said: { output: true } }\n` +
      '  scripts: { postInstall: install.sh, deploy: deploy.sh }\n',
  );
  return folder;
}

test('an image is built anew when its native image is another, and done without when somebody has deleted it', async ({ skip }) => {
  const { why } = clouds.lxd;
  skip(why !== undefined, why);
  const person = await personWith();
  const native = `paceline-test-${randomUUID().slice(0, 8)}`;
  try {
    const { target } = (await askLxd('GET', `${aliases}/${lxdImage}`)) as { target: string };
    await askLxd('POST', aliases, { name: native, target });
    const module = await moduleOn(native);
    const build = async (): Promise<ImageView> => {
      const built = await person.type(['build', module, '--cloud', 'lxd', '--json']);
      expect(built.code, built.stdout + built.stderr).toBe(0);
      const last = JSON.parse(built.stdout.trim().split('\n').at(-1) ?? '') as { image: ImageView };
      return last.image;
    };
    const first = await build();
    expect((await build()).image).toBe(first.image);
    // What is built is an image as good as any other to stand on.
    const { target: other } = (await askLxd('GET', `${aliases}/${first.image}`)) as { target: string };
    await askLxd('PUT', `${aliases}/${native}`, { target: other });
    const second = await build();
    expect(second.image).not.toBe(first.image);

    const { target: fingerprint } = (await askLxd('GET', `${aliases}/${second.image}`)) as { target: string };
    await askLxd('DELETE', `/1.0/images/${fingerprint}`);
    await askLxd('PUT', `${aliases}/${native}`, { target });
    const up = await person.type(['up', module, '--cloud', 'lxd']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(up.stdout).toContain(`lxd does not have the image ${second.image} any more, which was built: machine boots ${first.image}`);
    expect(up.stdout).not.toMatch(/Post-install/);
    expect((await person.type(['down'])).code).toBe(0);
    expect((await person.type(['images'])).stdout).toMatch(new RegExp(`${second.image} .*not there any more`));
  } finally {
    await askLxd('DELETE', `${aliases}/${native}`).catch(() => {});
    await leaveNothing(person);
  }
}, 900_000);
