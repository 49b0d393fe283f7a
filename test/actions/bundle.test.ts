import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, globSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { releaseCommit, staleBundles, tagRelease } from '../../scripts/action-release.ts';
import { repository } from '../support/system.ts';
import { actionsFolder, readAction } from './support/action-file.ts';
import { bench } from './support/bench.ts';

const mostBytes = 2 * 1024 * 1024;
const actions = ['deploy', 'run', 'scale', 'build-image', 'terminate', 'reap'];

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const digests = (root: string): Record<string, string> =>
  Object.fromEntries(
    globSync('*/dist/*', { cwd: root })
      .toSorted()
      .map((path) => [
        path,
        createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest('hex'),
      ]),
  );

it.each(actions)('%s is one file for node24, of at most 2 MB, and a line that begins its post step', (name) => {
  const { runs } = readAction(name);
  expect(runs.using).toBe('node24');
  expect(globSync('*', { cwd: join(actionsFolder, name, 'dist') }).toSorted()).toEqual(
    runs.post === undefined ? ['index.mjs'] : ['index.mjs', 'post.mjs'],
  );
  expect(statSync(join(actionsFolder, name, runs.main)).size).toBeLessThanOrEqual(mostBytes);
});

it('the engine that comes with the actions has the connectors that it loads when a cloud needs them', () => {
  const engine = join(actionsFolder, 'engine/dist');
  const loaded = [...readFileSync(join(engine, 'commands-server.mjs'), 'utf8').matchAll(/"\.\/(connector-[\w-]+\.mjs)"/g)].map(
    ([, name]) => name,
  );
  expect(new Set(loaded)).toEqual(new Set(['connector-aws.mjs', 'connector-openstack.mjs']));
  expect(new Set(globSync('connector-*.mjs', { cwd: engine }))).toEqual(new Set(loaded));
});

it('what uploads artifacts keeps to the same bound', () => {
  expect(statSync(join(actionsFolder, 'engine/dist/artifact.mjs')).size).toBeLessThanOrEqual(mostBytes);
});

it('the same sources make the same bundles, wherever they are built', { timeout: 10 * 60_000 }, async () => {
  const folder = await temporary();
  execFileSync(process.execPath, [join(actionsFolder, 'build.mjs'), folder], { stdio: 'inherit' });
  expect(digests(folder)).toEqual(digests(actionsFolder));
  expect(Object.keys(digests(folder))).toHaveLength(actions.length + 2 + 7);
});

it('a release is a commit with the bundles, and a workflow that uses its tag gets all that it needs', async () => {
  const folder = await temporary();
  const clone = join(folder, 'clone');
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: clone, encoding: 'utf8' });
  mkdirSync(clone);
  git('init', '--quiet');
  cpSync(join(repository, '.gitignore'), join(clone, '.gitignore'));
  for (const name of actions) cpSync(join(actionsFolder, name, 'action.yml'), join(clone, 'actions', name, 'action.yml'));
  git('config', 'user.name', 't');
  git('config', 'user.email', 't@example.org');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Sources');
  for (const name of [...actions, 'engine'])
    cpSync(join(actionsFolder, name, 'dist'), join(clone, 'actions', name, 'dist'), { recursive: true });

  const before = git('rev-parse', 'HEAD');
  const commit = releaseCommit(clone, '1.2.3');
  expect(tagRelease(clone, commit, '1.2.3')).toEqual(['v1.2.3', 'v1']);
  expect(() => tagRelease(clone, commit, '1.2.3')).toThrow('already exists');
  expect(() => tagRelease(clone, commit, 'latest')).toThrow("'latest' is not a version");
  expect(git('rev-parse', 'HEAD')).toBe(before);
  expect(staleBundles(clone, 'v1')).toEqual([]);

  const used = join(folder, 'used');
  execFileSync('git', ['clone', '--quiet', '--branch', 'v1', clone, used], { stdio: 'ignore' });
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file };
  const { main, post } = await runner.job('deploy', { folder: join(used, 'actions'), inputs });
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  await cloud.expectEmpty();

  execFileSync('sh', ['-c', 'echo "// changed" >>actions/deploy/dist/index.mjs'], { cwd: clone });
  expect(staleBundles(clone, 'v1')).toEqual(['actions/deploy/dist/index.mjs']);
});
