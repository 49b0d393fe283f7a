import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const dashboardBuilder = join(here, '..', 'dashboard', 'build.mjs');
const agentFolder = join(here, '..', '..', 'vm-agent');

/** Our own modules do nothing when they are imported, so what a bundle does not use is left out. */
export const pureWorkspace = {
  name: 'pure-workspace',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^(@paceline\/|\.{1,2}\/)/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'again' || rest.importer.includes('/node_modules/')) return undefined;
      const found = await resolve(path, { ...rest, pluginData: 'again' });
      return { ...found, sideEffects: false };
    });
  },
};

/**
 * What `program.ts` and `main.ts` load when it is needed, each a bundle of its own. Shared pieces would be smaller together, but
 * esbuild puts into them all that the index of a package leads to: every command would load the whole server.
 */
const parts = readdirSync(join(here, 'src', 'commands'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => `commands/${name}`);
const partOf = (path) => `${path.replace(/\.ts$/, '').replaceAll('/', '-')}`;

const loadedLater = {
  name: 'loaded-later',
  setup({ onResolve }) {
    // The SDK of a cloud is larger than all else; who does not use the cloud does not load it.
    onResolve({ filter: /^@paceline\/connector-(aws|openstack)$/ }, ({ path, kind }) => {
      return kind === 'dynamic-import' ? { path: `./${path.replace('@paceline/', '')}.mjs`, external: true } : undefined;
    });
    onResolve({ filter: /^\.{1,2}\/(commands\/.*|failure)\.ts$/ }, ({ path, kind }) => {
      return kind === 'dynamic-import' ? { path: `./${partOf(path.replace(/^\.+\//, ''))}.mjs`, external: true } : undefined;
    });
  },
};

/** What CommonJS modules expect to be there. */
const commonJsNames = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join('');

/** Bundle the command into a folder: `paceline.mjs`, the pieces that it loads when it needs them, and the agent. */
export async function buildCli(outdir = join(here, 'dist')) {
  mkdirSync(outdir, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  const { outputFiles } = await build({
    write: false,
    entryPoints: {
      paceline: join(here, 'src', 'main.ts'),
      ...Object.fromEntries([...parts, 'failure.ts'].map((part) => [partOf(part), join(here, 'src', part)])),
      'connector-aws': '@paceline/connector-aws',
      'connector-openstack': '@paceline/connector-openstack',
    },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['@paceline/source'],
    banner: { js: commonJsNames },
    define: { PACELINE_VERSION: JSON.stringify(version) },
    plugins: [loadedLater, pureWorkspace],
    // ssh2 does without its native parts when they are not there.
    external: ['cpu-features', '*.node'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  // The command may be in use: every file changes at once or not at all, and what is left over goes last.
  for (const { path, contents } of outputFiles) place(path, contents, path.endsWith('/paceline.mjs') ? 0o755 : 0o644);
  const builder = join(agentFolder, 'build.mjs');
  const agent = join(agentFolder, 'dist', 'agent.cjs');
  if (existsSync(builder)) execFileSync(process.execPath, [builder], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (existsSync(agent)) place(join(outdir, 'agent.cjs'), readFileSync(agent), 0o755);
  execFileSync(process.execPath, [dashboardBuilder, join(outdir, 'dashboard')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const kept = new Set(['agent.cjs', 'dashboard', ...outputFiles.map(({ path }) => basename(path))]);
  for (const name of readdirSync(outdir)) if (!kept.has(name)) rmSync(join(outdir, name), { recursive: true, force: true });
  return join(outdir, 'paceline.mjs');
}

function place(path, contents, mode) {
  const staged = `${path}.${process.pid}`;
  writeFileSync(staged, contents, { mode });
  renameSync(staged, path);
}

/** `npx paceline` in a clone: npm links commands when it installs, and this one was not there then. */
function linkCommand() {
  const link = join(here, '..', '..', 'node_modules', '.bin', 'paceline');
  if (process.platform !== 'win32' && !existsSync(link)) symlinkSync(join('..', '@paceline', 'cli', 'dist', 'paceline.mjs'), link);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await buildCli(process.argv[2]));
  if (process.argv[2] === undefined) linkCommand();
}
