import type { ImageView } from '@paceline/api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Person } from '../support/command.ts';

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
