import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// Workflows use an action from a tag, as it is there: what is bundled has to be in the repository. On the main branch it would
// change with every commit; so it is only in the commits that the tags of releases are on, each the child of the one it was
// built from.

function git(repository: string, args: string[], env: Record<string, string> = {}): string {
  return execFileSync('git', args, { cwd: repository, env: { ...process.env, ...env }, encoding: 'utf8' }).trim();
}

/** The bundled files, relative to the repository. */
function bundles(repository: string): string[] {
  return globSync('actions/*/dist/*', { cwd: repository }).toSorted((a, b) => a.localeCompare(b));
}

/**
 * Makes a commit of what is checked out and the bundles that are there. Neither branch nor files change.
 * @returns its id
 */
export function releaseCommit(repository: string, version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-release-'));
  const index = { GIT_INDEX_FILE: join(folder, 'index') };
  try {
    git(repository, ['read-tree', 'HEAD'], index);
    git(repository, ['add', '--force', '--', ...bundles(repository)], index);
    const tree = git(repository, ['write-tree'], index);
    return git(repository, ['commit-tree', tree, '-p', 'HEAD', '-m', `Release the actions of ${version}`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Puts the tag of a version on a commit, and moves that of the major version there.
 * @throws when the version has been released already
 */
export function tagRelease(repository: string, commit: string, version: string): string[] {
  const [, major] = /^(\d+)\.\d+\.\d+$/.exec(version) ?? [];
  if (major === undefined) throw new Error(`'${version}' is not a version such as 1.2.3`);
  git(repository, ['tag', `v${version}`, commit]);
  git(repository, ['tag', '--force', `v${major}`, commit]);
  return [`v${version}`, `v${major}`];
}

/** The bundles of a tag that are not what the sources make, which have just been built. */
export function staleBundles(repository: string, tag: string): string[] {
  const tagged = git(repository, ['ls-tree', '-r', '--format=%(objectname) %(path)', tag, 'actions'])
    .split('\n')
    .filter((line) => /^\w+ actions\/[^/]+\/dist\//.test(line));
  const built = bundles(repository).map((path) => `${git(repository, ['hash-object', '--', path])} ${path}`);
  const stale = [...tagged.filter((line) => !built.includes(line)), ...built.filter((line) => !tagged.includes(line))];
  return [...new Set(stale.map((line) => line.slice(line.indexOf(' ') + 1)))];
}

function main([action, name = '']: string[]): void {
  const repository = resolve(import.meta.dirname, '..');
  execFileSync(process.execPath, [join(repository, 'actions/build.mjs')], { stdio: 'inherit' });
  if (action === 'tag') {
    console.log(tagRelease(repository, releaseCommit(repository, name), name).join('\n'));
  } else if (action === 'check') {
    const stale = staleBundles(repository, name);
    if (stale.length > 0) throw new Error(`${name} does not hold what its sources make:\n${stale.join('\n')}`);
    console.log(`${name} holds what its sources make`);
  } else throw new Error('node scripts/action-release.ts tag 1.2.3 | check v1.2.3');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
