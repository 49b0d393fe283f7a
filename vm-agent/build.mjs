import { chmodSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const limits = { minified: 60_000, gzip: 23_000 };

/** Bundle the agent into one file that runs on every Node from 18 up, and hold it to its size. */
export async function buildAgent(outfile = join(here, 'dist', 'agent.cjs')) {
  const { version } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  await build({
    entryPoints: [join(here, 'src', 'main.ts')],
    outfile,
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    target: 'node18',
    conditions: ['@paceline/source'],
    banner: { js: '#!/usr/bin/env node' },
    define: { PACELINE_VERSION: JSON.stringify(version) },
    legalComments: 'none',
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  const sizes = { minified: statSync(outfile).size, gzip: gzipSync(readFileSync(outfile), { level: 9 }).length };
  for (const name of Object.keys(limits))
    if (sizes[name] > limits[name]) throw new Error(`agent.cjs is ${sizes[name]} bytes ${name}, more than ${limits[name]}`);
  return { outfile, ...sizes };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { minified, gzip } = await buildAgent();
  console.log(`agent.cjs: ${minified} bytes minified, ${gzip} bytes gzip`);
}
