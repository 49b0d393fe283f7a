import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildCli, pureWorkspace } from '../packages/cli/build.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** Folders with an action.yml whose main is a bundle of the source of the same name. */
export const actions = readdirSync(here).filter((name) => existsSync(join(here, 'src', `${name}.ts`)));

/** The same bundle is main and post; the second entry tells it so. */
const postEntry = "process.argv[2] = 'post';\nawait import('./index.mjs');\n";
const withPost = ['deploy', 'run'];

/** What of the command the engine needs: to serve, to say why it cannot, and the connectors that it loads when a cloud needs them. */
const engineFiles = ['paceline.mjs', 'commands-server.mjs', 'failure.mjs', 'agent.cjs', 'connector-aws.mjs', 'connector-openstack.mjs'];

/**
 * The toolkit brings undici, twice, and loads it at once; it is used by few steps, for GitHub's interface and for proxies. One copy
 * is kept, and loaded when it is used.
 */
const lateUndici = {
  name: 'late-undici',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^undici$/ }, async ({ importer, kind, resolveDir, namespace }) => {
      if (namespace === 'late-undici') return resolve('undici', { kind, resolveDir, importer: 'late', namespace: 'file' });
      return importer === 'late' ? undefined : { path: 'undici', namespace: 'late-undici', sideEffects: false };
    });
    onLoad({ filter: /.*/, namespace: 'late-undici' }, () => ({
      resolveDir: join(here, '..', 'node_modules', '@actions', 'http-client'),
      contents: [
        "export const fetch = (...args) => require('undici').fetch(...args);",
        "export const ProxyAgent = function (...args) { return new (require('undici').ProxyAgent)(...args); };",
      ].join('\n'),
    }));
  },
};

const common = {
  bundle: true,
  write: false,
  minify: true,
  // What is thrown is recognised by name.
  keepNames: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  charset: 'utf8',
  conditions: ['@paceline/source'],
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  // Native parts of what is not used here anyway.
  external: ['cpu-features', '*.node'],
  plugins: [lateUndici, pureWorkspace],
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Bundles the actions: of each one file, and beside them the engine.
 * @param root where the folders of the actions are
 * @param command the folder of the built command; it is built when there is none
 */
export async function buildActions(root = here, command) {
  for (const name of actions) await bundle(join(here, 'src', `${name}.ts`), join(root, name, 'dist', 'index.mjs'));
  for (const name of withPost) place(join(root, name, 'dist', 'post.mjs'), postEntry);
  const engine = join(root, 'engine', 'dist');
  await bundle(join(here, 'src', 'github', 'artifact.ts'), join(engine, 'artifact.mjs'));
  const built = command ?? mkdtempSync(join(tmpdir(), 'paceline-command-'));
  if (command === undefined) await buildCli(built);
  for (const name of engineFiles) place(join(engine, name), readFileSync(join(built, name)));
  if (command === undefined) rmSync(built, { recursive: true });
}

async function bundle(source, path) {
  const { outputFiles } = await build({ ...common, entryPoints: [source], outfile: path });
  place(path, outputFiles[0].contents);
}

/** An action may be running: it finds the old file or the new one. */
function place(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const staged = `${path}.${process.pid}`;
  writeFileSync(staged, contents);
  renameSync(staged, path);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildActions(...process.argv.slice(2));
