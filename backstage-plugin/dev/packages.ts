/** The plugins as other Backstages install them: everything of ours is in them, and what Backstage brings is not. */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

const folder = resolve(import.meta.dirname, '..');
const agent = resolve(folder, '../vm-agent/dist/agent.cjs');

interface Manifest {
  name: string;
  exports: Record<string, { '@paceline/source': string }>;
  peerDependencies: Record<string, string>;
  configSchema?: string;
}

/** In the package the agent is beside the code. */
const withAgent: Plugin = {
  name: 'with-agent',
  setup(bundling) {
    bundling.onLoad({ filter: /\/engine\/agent-path\.ts$/ }, () => ({
      contents:
        "import { fileURLToPath } from 'node:url'; export const agentPath = () => fileURLToPath(new URL('./agent.cjs', import.meta.url));",
      loader: 'js',
    }));
  },
};

/** What CommonJS modules expect to be there. */
const commonJsNames =
  "import { createRequire as __createRequire } from 'node:module'; import { dirname as __dirnameOf } from 'node:path'; import { fileURLToPath as __pathOf } from 'node:url'; " +
  'const require = __createRequire(import.meta.url), __filename = __pathOf(import.meta.url), __dirname = __dirnameOf(__filename);';

const forNode: BuildOptions = { platform: 'node', target: 'node22', banner: { js: commonJsNames }, external: ['cpu-features', '*.node'] };
/** The bundler of the application takes styles from where they are imported. */
const styled: BuildOptions = { banner: { js: "import './index.css';" } };
const forBrowsers: BuildOptions = { platform: 'browser', target: 'chrome123', jsx: 'automatic', external: ['node:*'] };
const plugins: Record<string, BuildOptions> = {
  common: forBrowsers,
  backend: { ...forNode, plugins: [withAgent] },
  scaffolder: forNode,
  catalog: forNode,
  frontend: { ...forBrowsers, ...styled },
};

/**
 * Writes the packages, each ready for `npm pack`.
 * @param outdir gets a folder of each, under the name of its package
 * @returns these folders
 */
export async function buildPackages(outdir: string): Promise<string[]> {
  const written: string[] = [];
  for (const [name, options] of Object.entries(plugins)) {
    const source = join(folder, name);
    const { exports, ...manifest } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as Manifest;
    const target = join(outdir, manifest.name);
    await rm(target, { recursive: true, force: true });
    await mkdir(join(target, 'dist'), { recursive: true });
    const entries = Object.entries(exports).map(
      ([path, { '@paceline/source': file }]) => [path, path === '.' ? 'index' : path.slice(2), file] as const,
    );
    await build({
      ...options,
      entryPoints: Object.fromEntries(entries.map(([, entry, file]) => [entry, join(source, file)])),
      outdir: join(target, 'dist'),
      bundle: true,
      splitting: true,
      minifySyntax: true,
      format: 'esm',
      conditions: ['@paceline/source', ...(options.platform === 'browser' ? ['production'] : [])],
      // There is one of each in a Backstage.
      external: [...(options.external ?? []), ...Object.keys(manifest.peerDependencies).flatMap((peer) => [peer, `${peer}/*`])],
      legalComments: 'none',
      logLevel: 'warning',
    });
    if (name === 'backend') await cp(agent, join(target, 'dist/agent.cjs'));
    if (manifest.configSchema !== undefined) await cp(join(source, manifest.configSchema), join(target, manifest.configSchema));
    const { private: _private, dependencies: _bundled, ...rest } = manifest as Manifest & { private?: boolean; dependencies?: object };
    const packed = {
      ...rest,
      files: ['dist', ...(manifest.configSchema === undefined ? [] : [manifest.configSchema])],
      publishConfig: { access: 'public' },
      exports: {
        ...Object.fromEntries(entries.map(([path, entry]) => [path, `./dist/${entry}.js`])),
        './package.json': './package.json',
      },
    };
    await writeFile(join(target, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
    written.push(target);
  }
  return written;
}

if (import.meta.main) console.log((await buildPackages(join(folder, 'dev/dist/packages'))).join('\n'));
