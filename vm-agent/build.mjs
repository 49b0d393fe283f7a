import { chmodSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'vite';

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
    plugins: [builtins],
    define: { PACELINE_VERSION: JSON.stringify(version) },
    legalComments: 'none',
    logLevel: 'warning',
  });
  const { code } = await minify('agent.cjs', readFileSync(outfile, 'utf8'));
  writeFileSync(outfile, `#!/usr/bin/env node\n${code.replace(/^#!.*\n/, '')}\n`);
  chmodSync(outfile, 0o755);
  const sizes = { minified: statSync(outfile).size, gzip: gzipSync(readFileSync(outfile), { level: 9 }).length };
  for (const name of Object.keys(limits))
    if (sizes[name] > limits[name]) throw new Error(`agent.cjs is ${sizes[name]} bytes ${name}, more than ${limits[name]}`);
  return { outfile, ...sizes };
}

/**
 * Takes what the sources import from Node's own modules out of them once, by name: calls become those of short local names
 * instead of `(0,x.readFileSync)(…)`, a tenth of the bundle.
 */
const builtins = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, namespace, kind }) =>
      namespace === 'builtin' || kind === 'dynamic-import' ? { path, external: true } : { path, namespace: 'builtin' },
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `const { ${namesFrom(path).join(', ')} } = require(${JSON.stringify(path)});\nexport { ${namesFrom(path).join(', ')} };`,
    }));
  },
};

function namesFrom(module) {
  const names = new Set();
  for (const file of globSync('src/**/*.ts', { cwd: here })) {
    if (/testing|\.test\./.test(file)) continue;
    for (const [, list, from] of readFileSync(join(here, file), 'utf8').matchAll(/^import \{([^}]*)\} from '(node:[^']*)'/gm))
      if (from === module)
        for (const name of list.split(',')) if (name.trim() && !name.trim().startsWith('type ')) names.add(name.trim().split(' as ')[0]);
  }
  return [...names];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { minified, gzip } = await buildAgent();
  console.log(`agent.cjs: ${minified} bytes minified, ${gzip} bytes gzip`);
}
