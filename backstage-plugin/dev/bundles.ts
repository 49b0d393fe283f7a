import { join, resolve } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

const folder = resolve(import.meta.dirname, '..');
const dist = join(folder, 'dev/dist');
const common: BuildOptions = { bundle: true, conditions: ['@paceline/source'], logLevel: 'warning', legalComments: 'none' };

/** Backstage runs no TypeScript, as imports within it name no files. @returns the path of the bundle */
export async function buildBackend(): Promise<string> {
  const outfile = join(dist, 'backend.cjs');
  await build({
    ...common,
    entryPoints: [join(folder, 'dev/backend.ts')],
    outfile,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    // Ours is bundled, Backstage is not.
    plugins: [
      {
        name: 'only-ours',
        setup(bundling) {
          bundling.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === 'entry-point' || path.startsWith('@paceline/') ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  return outfile;
}

/** The applications for browsers, of the new system and of the old one. @returns the folder with `app.js`, `old-app.js` and what they need */
export async function buildApp(): Promise<string> {
  const outdir = join(dist, 'app');
  const own = (name: string): string => join(folder, 'node_modules', name);
  await build({
    ...common,
    entryPoints: { app: join(folder, 'dev/app.tsx'), 'old-app': join(folder, 'dev/old-app.tsx') },
    outdir,
    platform: 'browser',
    target: 'chrome123',
    format: 'esm',
    splitting: true,
    minify: true,
    jsx: 'automatic',
    conditions: ['@paceline/source', 'production'],
    loader: { '.svg': 'file', '.png': 'file', '.woff': 'file', '.woff2': 'file' },
    alias: {
      // There is one React for our pages and for Backstage.
      react: own('react'),
      'react-dom': own('react-dom'),
      // Its entry is for Node.
      'csv-stringify/lib/sync': own('csv-stringify/lib/browser/sync.js'),
    },
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.APP_CONFIG': '[]',
      'process.env.HAS_REACT_DOM_CLIENT': 'true',
      'process.env': '{}',
      global: 'globalThis',
    },
    external: ['node:*'],
  });
  return outdir;
}
