import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@paceline/api';
import { diskFiles, loadModule } from '@paceline/model';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, startBackstage } from '../../backstage-plugin/dev/backstage.ts';
import { buildPackages } from '../../backstage-plugin/dev/packages.ts';
import { processesWith } from '../support/processes.ts';
import { repository } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Visitor } from './visitor.ts';

const run = promisify(execFile);

/** A back end as people write it: CommonJS, after the tools of Backstage have been at it. */
const program = `
const { createBackend } = require('@backstage/backend-defaults');
const { createBackendModule } = require('@backstage/backend-plugin-api');
const { AuthorizeResult, isResourcePermission } = require('@backstage/plugin-permission-common');
const { policyExtensionPoint } = require('@backstage/plugin-permission-node/alpha');
const { createRunConditionalDecision, pacelineRootHealth, runConditions } = require('@paceline/backstage-plugin-backend');
const { runReadPermission, runResourceType } = require('@paceline/backstage-plugin-common');

const handle = async ({ permission }, user) => {
  if (!isResourcePermission(permission, runResourceType) || permission.name === runReadPermission.name) return { result: AuthorizeResult.ALLOW };
  return createRunConditionalDecision(permission, runConditions.isRunOwner({ claims: user?.info.ownershipEntityRefs ?? [] }));
};
const backend = createBackend();
for (const name of [
  '@backstage/plugin-auth-backend', '@backstage/plugin-auth-backend-module-guest-provider', '@backstage/plugin-permission-backend',
  '@backstage/plugin-events-backend', '@backstage/plugin-signals-backend', '@backstage/plugin-notifications-backend',
  '@backstage/plugin-catalog-backend', '@backstage/plugin-catalog-backend-module-scaffolder-entity-model',
  '@backstage/plugin-scaffolder-backend',
]) backend.add(require(name));
backend.add(createBackendModule({
  pluginId: 'permission',
  moduleId: 'own-runs',
  register: (env) => env.registerInit({ deps: { point: policyExtensionPoint }, init: async ({ point }) => point.setPolicy({ handle }) }),
}));
backend.add(import('@paceline/backstage-plugin-backend'));
backend.add(require('@paceline/backstage-plugin-catalog-backend-module'));
backend.add(require('@paceline/backstage-plugin-scaffolder-backend-module'));
backend.add(pacelineRootHealth);
void backend.start();
`;

describe.skipIf(!isInstalled)('the packages of the plugins (to install Backstage: npm ci --prefix backstage-plugin)', () => {
  /** Below the Backstage that is installed. */
  let folder = '';
  let state = '';
  let log = '';
  beforeAll(async () => {
    const dist = join(repository, 'backstage-plugin/dev/dist');
    await mkdir(dist, { recursive: true });
    folder = await mkdtemp(join(dist, 'packed-'));
    state = await mkdtemp(join(tmpdir(), 'paceline-packages-'));
    for (const built of await buildPackages(join(folder, 'built'))) {
      const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: built });
      const target = join(folder, 'node_modules', built.slice(join(folder, 'built').length + 1));
      await mkdir(target, { recursive: true });
      await run('tar', ['-xzf', join(folder, stdout.trim()), '--strip-components=1', '-C', target]);
    }
  }, 120_000);
  afterAll(async () => {
    await until(() => assert.deepEqual(processesWith(`${state}/local/`), []), 15_000, 50);
    for (const each of [folder, state]) await rm(each, { recursive: true, force: true });
  }, 60_000);

  it('need nothing of this repository', async () => {
    const own = join(folder, 'node_modules/@paceline');
    for (const name of await readdir(own)) {
      const manifest = JSON.parse(await readFile(join(own, name, 'package.json'), 'utf8')) as Record<string, unknown>;
      expect(manifest, name).not.toHaveProperty('dependencies');
      expect(manifest, name).not.toHaveProperty('private');
      for (const file of await readdir(join(own, name, 'dist'))) {
        if (!file.endsWith('.js')) continue;
        const text = await readFile(join(own, name, 'dist', file), 'utf8');
        expect(/(from|import\(|require\()\s*["']@paceline\//.test(text), `${name}/${file}`).toBe(false);
      }
    }
  });

  it('bring a deployment up in a back end that knows of no sources', async () => {
    const main = join(folder, 'main.cjs');
    await writeFile(main, program);
    const clouds = join(state, 'clouds.yaml');
    await writeFile(clouds, `clouds: { local: { connector: local, root: ${JSON.stringify(join(state, 'local'))} } }\n`);
    const paceline = { state: join(state, 'state'), clouds };
    const backstage = await startBackstage({ paceline, program: main, port: 0, log: (text) => (log += text) });
    try {
      const token = (await readFile(join(state, 'state/operator.token'), 'utf8')).trim();
      const engine = createClient({ url: `${backstage.url}/api/paceline/engine`, token });
      const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
      await engine.modules.publish({ deployment });
      const guest = await Visitor.guest(backstage.url);
      await guest.entity('template/default/run-client-server');
      const started = await guest.execute('run-client-server', { runName: 'packed', clients: 1 });
      expect(started.status, started.log.join('\n')).toBe('completed');
      const { id, state: reached } = await engine.runs.get('packed');
      expect(reached).toBe('Ready');
      const ended = await guest.execute('end-a-run', { run: id });
      expect(ended.status, ended.log.join('\n')).toBe('completed');
    } finally {
      await backstage.stop();
    }
  }, 240_000);

  it('go into an application, with their styles', async () => {
    const entry = join(folder, 'app.ts');
    await writeFile(
      entry,
      "import plugin from '@paceline/backstage-plugin';\nexport * from '@paceline/backstage-plugin/old-system';\nexport { plugin };\n",
    );
    const { outputFiles } = await build({
      entryPoints: [entry],
      outdir: join(folder, 'app'),
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'browser',
      external: ['node:*', '@backstage/*', '@material-ui/*', 'react', 'react-dom', 'react-router-dom'],
    });
    const css = outputFiles.find(({ path }) => path.endsWith('.css'))?.text ?? '';
    expect(css).toContain('.pl-table');
    expect(css).toContain('.plb-card');
  });
});
