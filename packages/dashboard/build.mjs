import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/** Bundles the pages into a folder: `index.html`, and `assets` whose names say what is in them. */
export async function buildDashboard(outdir = join(here, 'dist')) {
  const { outputFiles, metafile } = await build({
    write: false,
    metafile: true,
    entryPoints: { dashboard: join(here, 'src', 'main.tsx') },
    outdir,
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    publicPath: '/assets',
    loader: { '.svg': 'file' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox125', 'safari17.5'],
    jsx: 'automatic',
    conditions: ['@paceline/source', 'production'],
    define: { 'process.env.NODE_ENV': '"production"' },
    external: ['node:*'],
    legalComments: 'none',
    logLevel: 'warning',
  });
  const needed = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter(({ external }) => external));
  if (needed.length > 0) throw new Error(`No browser has ${needed.map(({ path }) => path).join(', ')}`);
  const named = (ending) => basename(outputFiles.find(({ path }) => path.endsWith(ending))?.path ?? '');
  const page = readFileSync(join(here, 'src', 'index.html'), 'utf8')
    .replace('SCRIPT', named('.js'))
    .replace('STYLE', named('.css'))
    .replace('ICON', named('.svg'));
  // Whoever starts now finds all of it or what was there before.
  const staged = `${outdir}.${process.pid}`;
  mkdirSync(join(staged, 'assets'), { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(join(staged, 'assets', basename(path)), contents);
  writeFileSync(join(staged, 'index.html'), page);
  rmSync(outdir, { recursive: true, force: true });
  renameSync(staged, outdir);
  return outdir;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await buildDashboard(process.argv[2]));
