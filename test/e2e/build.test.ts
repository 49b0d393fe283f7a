import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageView } from '@paceline/api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Person } from '../support/command.ts';
import { repository } from '../support/system.ts';
import { until } from '../support/until.ts';

let person: Person;
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await person.type([...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

it('an image is built once, and machines boot it and skip what is in it', async () => {
  const module = 'examples/load-balanced/web';
  const built = await person.type(['build', module, '--logs']);
  expect(built.code, built.stdout + built.stderr).toBe(0);
  const { images } = await json<{ images: ImageView[] }>('images');
  expect(images).toMatchObject([{ cloud: 'local', module: 'load-balanced/web', pinned: false }]);
  const { runs } = await json<{ runs: { id: string; state: string }[] }>('list');
  expect(runs.map(({ state }) => state)).toEqual(['Done']);

  const again = await person.type(['build', module]);
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('(was built)')]);
  expect((await json<{ runs: object[] }>('list')).runs).toHaveLength(1);

  const up = await person.type(['up', 'examples/load-balanced', '-p', 'webs=1']);
  expect(up.code, up.stdout + up.stderr).toBe(0);
  const events = (await person.type(['events'])).stdout;
  expect(events).toMatch(/front\.1 +Post-install of load-balanced\/front done/);
  expect(events).toMatch(/web\.1 +Deployment of load-balanced\/web done/);
  expect(events).not.toMatch(/web\.1 +Post-install/);
  expect(await (await fetch((await person.type(['get', 'ss:url.service'])).stdout.trim())).text()).toContain('Hello from web.1');
  expect((await person.type(['down'])).code).toBe(0);

  const [image = { image: '' }] = images;
  expect((await person.type(['images', image.image, '--pin'])).code).toBe(0);
  expect((await person.type(['images', image.image, '--delete'])).code).toBe(4);
  expect((await person.type(['images', image.image, '--unpin'])).code).toBe(0);
  expect(await json('images', image.image, '--delete')).toEqual({ images: [] });
});

/** The clouds of which somebody deletes images by hand, and where they keep them. */
const clouds = {
  local: () => ({ settings: { connector: 'local' }, images: join(person.state, 'local/images') }),
  exec: () => {
    const images = join(person.state, 'images');
    const program = [
      join(repository, 'test/support/images-program.mjs'),
      join(repository, 'examples/connectors/python/connector.py'),
      images,
    ];
    const config = { root: join(person.state, 'machines') };
    return { settings: { connector: 'exec', command: [process.execPath, ...program], config }, images };
  },
};

it.each(['local', 'exec'] as const)(
  'machines on %s install themselves what an image had that somebody has deleted by hand, and the next build makes it anew',
  async (name) => {
    const { settings, images } = clouds[name]();
    await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds: { [name]: settings } }));
    const file = join(person.state, 'box.yaml');
    await writeFile(
      file,
      `apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: box }\nspec:\n  scripts:\n    postInstall: |\n      #!/bin/sh\n      true\n`,
    );
    const module = [file, '--cloud', name];
    const built = await person.type(['build', ...module]);
    expect(built.code, built.stdout + built.stderr).toBe(0);
    const listed = async (): Promise<ImageView | undefined> => (await json<{ images: ImageView[] }>('images')).images[0];
    const before = await listed();
    await rm(join(images, before?.image ?? ''), { recursive: true });
    const up = await person.type(['up', ...module]);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(up.stdout).toContain(
      `${name} does not have the image ${before?.image} any more, which was built: machine boots its native image and installs everything`,
    );
    expect(up.stdout).toMatch(/Post-install of .*box done/);
    expect((await person.type(['down'])).code).toBe(0);
    expect((await person.type(['images'])).stdout).toMatch(/not there any more\n$/);
    const again = await person.type(['build', ...module]);
    expect([again.code, again.stdout]).toEqual([0, expect.not.stringContaining('(was built)')]);
    expect(await listed()).toMatchObject({ digest: before?.digest, lostAt: null });
  },
);

it('an image is built on several clouds at once, once on each', async () => {
  const local = { connector: 'local' };
  await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds: { one: local, other: local, third: local } }));
  const build = ['build', 'examples/load-balanced/web'];
  const both = await person.type([...build, '--cloud', 'one', '--cloud', 'other']);
  expect(both.code, both.stdout + both.stderr).toBe(0);
  expect(both.stdout.trim().split('\n').slice(-2)).toEqual([
    expect.stringMatching(/^one {2}paceline-\S+ /),
    expect.stringMatching(/^other {2}paceline-\S+ /),
  ]);
  const began = both.stdout.match(/^\w+ +\S+ +Created by/gm) ?? [];
  expect(began.map((line) => line.replace(/ .*/, '')).toSorted()).toEqual(['one', 'other']);
  const again = await person.type([...build, '--cloud', 'third', '--cloud', 'other']);
  const [third, other] = again.stdout.trim().split('\n').slice(-2);
  expect([again.code, third, other]).toEqual([0, expect.not.stringContaining('was built'), expect.stringContaining('(was built)')]);
  const { images } = await json<{ images: ImageView[] }>('images');
  expect(images.map(({ cloud }) => cloud).toSorted()).toEqual(['one', 'other', 'third']);
});

it('what is built already is waited for, and left to whoever began it; when they end it, it is begun again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-gated-'));
  const [module, gate] = [join(folder, 'gated.yaml'), join(folder, 'gate')];
  await writeFile(
    module,
    `apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: gated }\nspec:\n  scripts:\n    postInstall: |\n` +
      `      #!/bin/sh\n      while [ ! -e '${gate}' ]; do sleep 0.1; done\n`,
  );
  const waiting = 'It was under way already, and is waited for.';
  let begun = false;
  const interrupt = Promise.withResolvers<void>();
  const first = person.type(['build', module], (output, kill) => {
    if (begun || !output.includes('Executing')) return;
    begun = true;
    void interrupt.promise.then(() => kill('SIGINT'));
  });
  await until(() => expect(begun).toBe(true), 30_000);
  let left = false;
  const leaver = await person.type(['build', module], (output, kill) => {
    if (left || !output.includes(waiting)) return;
    left = true;
    kill('SIGINT');
  });
  expect([left, leaver.code], leaver.stdout + leaver.stderr).toEqual([true, 130]);
  let joined = false;
  const second = person.type(['build', module], (output) => (joined ||= output.includes(waiting)));
  await until(() => expect(joined).toBe(true), 30_000);
  expect((await json<{ runs: object[] }>('list', '--active')).runs).toHaveLength(1);
  interrupt.resolve();
  expect((await first).code).toBe(130);
  await writeFile(gate, '');
  const built = await second;
  expect(built.code, built.stdout + built.stderr).toBe(0);
  const { runs } = await json<{ runs: { state: string }[] }>('list');
  expect(runs.map(({ state }) => state)).toEqual(['Done', 'Cancelled']);
  expect((await json<{ images: object[] }>('images')).images).toHaveLength(1);
});
