import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Finished, Person } from '../support/command.ts';

let person: Person;
let project: string;
beforeEach(async () => {
  person = await Person.arrive();
  project = await mkdtemp(join(tmpdir(), 'paceline-project-'));
});
afterEach(() => person.leave());

async function done(...args: string[]): Promise<Finished> {
  const finished = await person.type(args);
  expect(finished.code, finished.stdout + finished.stderr).toBe(0);
  return finished;
}

/** Publishes what a machine says. @returns the version */
async function publish(words: string): Promise<string> {
  const file = join(project, 'image.yaml');
  await writeFile(
    file,
    `apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: speaker }\nspec:\n  parameters: { said: { output: true } }\n` +
      `  scripts:\n    deploy: |\n      #!/bin/sh\n      ss-set said '${words}'\n`,
  );
  return (await done('publish', file, '--as', 'demo/speaker')).stdout.trim();
}

it('files refer to what is published, pinned or floating, and extend it', async () => {
  expect(await publish('one')).toBe('demo/speaker@1');
  expect(await publish('two')).toBe('demo/speaker@2');
  const file = join(project, 'deployment.yaml');
  const deployment = (newest: string): string =>
    `apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: both }\nspec:\n  nodes:\n    old: { image: demo/speaker@1 }\n` +
    `    new: { image: ${newest} }\n    child: { image: ./child.yaml }\n`;
  await writeFile(file, deployment('demo/speaker'));
  await writeFile(
    join(project, 'child.yaml'),
    'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: child }\nspec:\n  extends: demo/speaker\n' +
      '  scripts:\n    deploy: |\n      #!/bin/sh\n      ss-set said "$(ss-get said), and more"\n',
  );
  expect((await done('validate', file)).stdout).toContain('No problems.');
  expect((await done('plan', file)).stdout).toContain('demo/speaker@2');
  await done('up', file);
  const said = await Promise.all(['old.1', 'new.1', 'child.1'].map(async (one) => (await done('get', `${one}:said`)).stdout));
  expect(said).toEqual(['one\n', 'two\n', 'two, and more\n']);
  await done('down');

  await writeFile(file, deployment('demo/speaker@7'));
  const wrong = await person.type(['up', file]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('There is no published module `demo/speaker@7`.')]);
  await done('modules', 'demo/speaker@2', '--deprecate', 'it stutters');
  await writeFile(file, deployment('demo/speaker@2'));
  expect((await done('validate', file)).stdout).toContain('`demo/speaker@2` is deprecated: it stutters');
});

it('what was built and tried is promoted, and others stand on it while newer builds are candidates', async () => {
  const file = join(project, 'image.yaml');
  const write = (words: string): Promise<void> =>
    writeFile(
      file,
      `apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: base }\nspec:\n  parameters: { said: { output: true } }\n` +
        `  scripts:\n    postInstall: |\n      #!/bin/sh\n      echo '${words}' >said\n` +
        `    deploy: |\n      #!/bin/sh\n      ss-set said "$(cat said)"\n`,
    );
  const images: string[] = [];
  for (const words of ['one', 'two']) {
    await write(words);
    await done('publish', file, '--as', 'demo/base');
    images.push(/^local {2}(\S+)/m.exec((await done('build', 'demo/base')).stdout)?.[1] ?? '');
  }
  const [one = '', two = ''] = images;
  expect((await done('images', one, '--promote', 'stable')).stdout).toMatch(new RegExp(`${one} .* demo/base@stable$`, 'm'));
  expect((await done('modules', 'demo/base')).stdout).toMatch(/^demo\/base@2 {2}Image.*\ndemo\/base@1 @stable {2}Image/);

  const app = join(project, 'app.yaml');
  await writeFile(app, `apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: app }\nspec: { extends: demo/base@stable }\n`);
  expect((await done('plan', app)).stdout).toContain('demo/base@1');
  await done('up', app);
  expect((await done('get', 'machine:said')).stdout).toBe('one\n');
  expect((await done('events')).stdout).not.toContain('Post-install');
  await done('down');

  const kept = await person.type(['images', one, '--delete']);
  expect([kept.code, kept.stderr]).toEqual([4, expect.stringContaining('is what demo/base@stable boots')]);
  await done('images', two, '--promote', 'stable');
  expect((await done('plan', app)).stdout).toContain('demo/base@2');
  expect((await done('images', '--age-out', '1ms')).stdout).toMatch(new RegExp(`^local {2}${two} .*\n$`));
});

it('what is published is planned and built by its name', async () => {
  await done('publish', 'examples/load-balanced/web', '--as', 'demo/web');
  expect((await done('plan', 'demo/web@1')).stdout).toContain('machine');
  expect((await done('build', 'demo/web')).stdout).toMatch(/^local {2}paceline-/m);
});
