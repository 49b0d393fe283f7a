import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { isTest, read, sourceFiles, workspaces } from './tracked-files.ts';

/** What the sources of a workspace may import of ours. A new workspace gets a row here, and one in docs/architecture.md. */
const allowed: Record<string, string[]> = {
  'packages/model': [],
  'packages/api': ['@paceline/model'],
  'packages/engine': ['@paceline/model', '@paceline/api', '@paceline/api/agent'],
  // A connector that is a program of ours speaks with it as with any other.
  'packages/connectors/*': ['@paceline/engine/connector', '@paceline/engine/ssh', '@paceline/connector-host', '@paceline/connector-exec'],
  'packages/clouds': [
    '@paceline/engine',
    '@paceline/engine/connector',
    '@paceline/model',
    '@paceline/connector-aws',
    '@paceline/connector-exec',
    '@paceline/connector-libcloud',
    '@paceline/connector-local',
    '@paceline/connector-lxd',
    '@paceline/connector-openstack',
    '@paceline/connector-qemu',
    '@paceline/connector-sandbox',
    '@paceline/connector-ssh',
    '@paceline/connector-terraform',
  ],
  'packages/server': ['@paceline/model', '@paceline/api', '@paceline/api/agent', '@paceline/engine', '@paceline/engine/connector'],
  'packages/door': ['@paceline/model', '@paceline/api'],
  'packages/ui': ['@paceline/api'],
  'packages/dashboard': ['@paceline/ui', '@paceline/ui/styles.css', '@paceline/api', '@paceline/model'],
  'packages/cli': [
    '@paceline/door',
    '@paceline/model',
    '@paceline/api',
    '@paceline/engine',
    '@paceline/engine/conformance',
    '@paceline/engine/connector',
    '@paceline/server',
    '@paceline/clouds',
    '@paceline/clouds/file',
  ],
  actions: ['@paceline/model', '@paceline/api', '@paceline/server', '@paceline/door'],
  'packages/simulator': ['@paceline/model', '@paceline/api', '@paceline/api/agent', '@paceline/engine', '@paceline/engine/connector'],
  'backstage-plugin/common': ['@paceline/api'],
  'backstage-plugin/backend': [
    '@paceline/api',
    '@paceline/api/agent',
    '@paceline/model',
    '@paceline/clouds',
    '@paceline/engine',
    '@paceline/server',
    '@paceline/backstage-plugin-common',
  ],
  'backstage-plugin/scaffolder': ['@paceline/api', '@paceline/door', '@paceline/model', '@paceline/backstage-plugin-common'],
  'backstage-plugin/catalog': ['@paceline/api', '@paceline/backstage-plugin-common'],
  'backstage-plugin/frontend': ['@paceline/ui', '@paceline/ui/styles.css', '@paceline/backstage-plugin-common'],
  'vm-agent': ['@paceline/api/agent'],
};
/** What their tests may import besides. */
const allowedInTests = ['@paceline/engine/testing', '@paceline/engine/conformance', '@paceline/connector-host/testing'];

const named = workspaces.filter(({ folder }) => !['examples', 'test'].includes(folder) && !folder.startsWith('tools/'));

test.each(named)('$folder imports only what is below it', ({ folder }) => {
  const may = allowed[folder.replace(/^(packages\/connectors)\/.*/, '$1/*')];
  expect(may, `${folder} has no row in this test`).toBeDefined();
  for (const { path, from } of importsOf(folder)) {
    if (!from.startsWith('@paceline/')) continue;
    expect(isTest(path) ? [...(may ?? []), ...allowedInTests] : may, path).toContain(from);
  }
});

test.each(named)('$folder reaches into no other folder', ({ folder }) => {
  const relative = importsOf(folder).filter(({ from }) => from.startsWith('.'));
  expect(relative.filter(({ path, from }) => !normalize(join(dirname(path), from)).startsWith(`${folder}/`))).toEqual([]);
});

test('the agent has no dependencies', () => {
  const foreign = importsOf('vm-agent').filter(({ path, from }) => !isTest(path) && !/^(\.|node:|@paceline\/api\/agent$)/.test(from));
  expect(foreign).toEqual([]);
});

test('the agent bundles the wire types, so these import nothing', () => {
  expect(importsOf('packages/api').filter(({ path }) => path === 'packages/api/src/agent.ts')).toEqual([]);
});

/** Every import of the sources of a workspace. */
function importsOf(folder: string): { path: string; from: string }[] {
  return sourceFiles
    .filter((path) => path.startsWith(`${folder}/src/`))
    .flatMap((path) =>
      [...read(path).matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)].map(
        ([, ...found]) => ({ path, from: found.find((text) => text !== undefined) ?? '' }),
      ),
    );
}
