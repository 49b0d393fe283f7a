import { expect, test } from 'vitest';
import { readJson, rootManifest, trackedFiles, workspaces, type Manifest } from './tracked-files.ts';

interface Lock {
  packages: Record<string, Manifest & { resolved?: string }>;
}

const lock = readJson<Lock>('package-lock.json');
const backstage = readJson<Manifest>('backstage-plugin/package.json');
const withTypes = workspaces.filter(({ folder }) => trackedFiles.includes(`${folder}/tsconfig.json`));
const published = workspaces.filter(({ manifest }) => manifest.private !== true);

test.each(workspaces)('$folder has one version, license and kind of module', ({ manifest }) => {
  expect(manifest).toMatchObject({
    name: expect.stringMatching(/^@paceline\//),
    version: workspaces[0]?.manifest.version,
    license: 'Apache-2.0',
  });
  expect(manifest.type ?? 'module').toBe('module');
});

test.each(withTypes)('$folder is checked and built as all are', ({ folder, manifest }) => {
  const up = folder
    .split('/')
    .map(() => '..')
    .join('/');
  expect(readJson(`${folder}/tsconfig.json`)).toMatchObject({ extends: `${up}/tsconfig.base.json`, include: expect.any(Array) });
  expect(manifest.scripts).toMatchObject({ typecheck: 'tsc -p .' });
  if (trackedFiles.includes(`${folder}/build.mjs`)) expect(manifest.scripts).toMatchObject({ build: 'node build.mjs' });
  else if (manifest.private !== true) {
    expect(manifest.scripts).toMatchObject({ build: 'tsc -p tsconfig.build.json' });
    expect(readJson(`${folder}/tsconfig.build.json`)).toEqual({ extends: ['./tsconfig.json', `${up}/tsconfig.build.json`] });
  }
});

test.each(published)('$folder publishes what it has built, and only that', ({ folder, manifest }) => {
  expect(manifest.files).toEqual(['dist']);
  for (const [entry, conditions] of Object.entries(manifest.exports ?? {})) {
    const source = conditions['@paceline/source'] ?? '';
    expect(Object.keys(conditions)[0], `${entry}: the source has to be the first condition`).toBe('@paceline/source');
    expect(trackedFiles, entry).toContain(`${folder}/${source.replace('./', '')}`);
    // An entry without a built file is for the tests of this repository.
    if (!('default' in conditions)) continue;
    const built = source.replace('./src/', './dist/').replace(/\.ts$/, '');
    expect(conditions).toMatchObject({ types: `${built}.d.ts`, default: `${built}.js` });
  }
});

test.each([{ folder: '', manifest: rootManifest }, ...workspaces])(
  '$folder/package.json and the lock file agree',
  ({ folder, manifest }) => {
    const locked = lock.packages[folder];
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const) {
      expect(locked?.[kind] ?? {}, kind).toEqual(manifest[kind] ?? {});
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
        if (kind === 'peerDependencies') {
          // What the host brings may be newer than what the plugins are tested with, which is pinned there.
          expect(version, name).toBe(`^${backstage.dependencies?.[name]}`);
          continue;
        }
        expect(version, `${name} is pinned`).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
        if (name.startsWith('@paceline/')) continue;
        const found = lock.packages[`${folder}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`];
        expect(found?.version, name).toBe(version);
      }
    }
  },
);

test.each(['package-lock.json', 'backstage-plugin/package-lock.json'])('%s names no registry', (path) => {
  const named = Object.entries(readJson<Lock>(path).packages).filter(([, { resolved }]) => resolved?.includes('://'));
  expect(named.map(([name]) => name)).toEqual([]);
});
