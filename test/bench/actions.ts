import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { repository } from '../support/system.ts';
import { ms, quantile, type Figure } from './table.ts';

const times = 15;

/** The size of the actions that bring systems up, and how long each takes until it has read its inputs and refused one. */
export async function actions(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-bench-actions-'));
  try {
    execFileSync(process.execPath, [join(repository, 'actions/build.mjs'), folder], { stdio: 'ignore' });
    const bare = median(() => timed(['--eval', '0'], 0));
    const figures: Figure[] = [];
    for (const name of ['deploy', 'run']) {
      const file = join(folder, name, 'dist/index.mjs');
      const bundle = await readFile(file);
      const value = `${bundle.length} / ${gzipSync(bundle).length} B`;
      figures.push({ metric: `actions/${name}, bundle / gzip`, value, limit: 'aim 2 MB' });
      const start = median(() => timed([file], 1));
      figures.push({ metric: `actions/${name}, start / bare Node, p50`, value: `${ms(start, 0)} / ${ms(bare, 0)}`, limit: 'aim 300 ms' });
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function median(measure: () => number): number {
  measure();
  return quantile(
    Array.from({ length: times }, () => measure()),
    0.5,
  );
}

/** Milliseconds until a Node that is given these has ended as it should. */
function timed(args: readonly string[], code: number): number {
  const begin = performance.now();
  const { status, stdout } = spawnSync(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', 'INPUT_KEEP-RUNNING': 'sometimes' },
    encoding: 'utf8',
  });
  if (status !== code) throw new Error(`exit code ${status}: ${stdout}`);
  return performance.now() - begin;
}
