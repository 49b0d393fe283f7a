import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const agentFolder = join(here, '..', '..', 'vm-agent');

/** Our own packages do nothing when they are imported, so what a command does not use is left out. */
const pureWorkspace = {
  name: 'pure-workspace',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@paceline\// }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'again') return undefined;
      const found = await resolve(path, { ...rest, pluginData: 'again' });
      return { ...found, sideEffects: false };
    });
  },
};

/** Bundle the command into a folder: `paceline.mjs`, the pieces that it loads when it needs them, and the agent. */
export async function buildCli(outdir = join(here, 'dist')) {
  mkdirSync(outdir, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  const { outputFiles } = await build({
    write: false,
    entryPoints: { paceline: join(here, 'src', 'main.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['@paceline/source'],
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    define: { PACELINE_VERSION: JSON.stringify(version) },
    plugins: [pureWorkspace],
    legalComments: 'none',
    logLevel: 'warning',
  });
  // The command may be in use: every file changes at once or not at all, and what is left over goes last.
  for (const { path, contents } of outputFiles) place(path, contents, path.endsWith('/paceline.mjs') ? 0o755 : 0o644);
  const builder = join(agentFolder, 'build.mjs');
  const agent = join(agentFolder, 'dist', 'agent.cjs');
  if (existsSync(builder)) execFileSync(process.execPath, [builder], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (existsSync(agent)) place(join(outdir, 'agent.cjs'), readFileSync(agent), 0o755);
  const kept = new Set(['agent.cjs', ...outputFiles.map(({ path }) => basename(path))]);
  for (const name of readdirSync(outdir)) if (!kept.has(name)) rmSync(join(outdir, name), { recursive: true, force: true });
  return join(outdir, 'paceline.mjs');
}

function place(path, contents, mode) {
  const staged = `${path}.${process.pid}`;
  writeFileSync(staged, contents, { mode });
  renameSync(staged, path);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await buildCli());
