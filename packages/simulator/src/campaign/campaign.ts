import { Worker } from 'node:worker_threads';
import type { CampaignOptions } from './options.ts';
import { add, emptyTally, type Tally } from './tally.ts';
import type { Found, Piece, PieceResult } from './worker.ts';

export interface CampaignResult {
  tally: Tally;
  found: Found[];
  /** Of real time. */
  seconds: number;
}

const pieceSize = 25;
/** With so many violations nobody needs more seeds. */
const mostFound = 20;

/**
 * Simulates many seeds in threads.
 * @param progress is told now and then
 */
export async function campaign(options: CampaignOptions, progress: (line: string) => void): Promise<CampaignResult> {
  const began = performance.now();
  const result: CampaignResult = { tally: emptyTally(), found: [], seconds: 0 };
  const seconds = (): number => (performance.now() - began) / 1000;
  let next = options.seed;
  const end = options.seed + options.runs;
  const take = (): Piece | undefined => {
    if (next >= end || result.found.length >= mostFound) return undefined;
    const piece = { from: next, count: Math.min(pieceSize, end - next) };
    next += piece.count;
    return piece;
  };
  let told = 0;
  const done = ({ tally, found }: PieceResult): void => {
    add(result.tally, tally);
    result.found.push(...found);
    for (const { seed, violation } of found) progress(`seed ${seed}: ${violation.invariant}: ${violation.what}`);
    if (seconds() < told + 5) return;
    told = seconds();
    const { seeds } = result.tally;
    progress(`${seeds} of ${options.runs} seeds, ${(seeds / told).toFixed(1)} a second, ${result.found.length} violations`);
  };
  const count = Math.max(1, Math.min(options.workers, Math.ceil(options.runs / pieceSize)));
  await Promise.all(Array.from({ length: count }, () => drive(options, take, done)));
  result.found.sort((one, other) => one.seed - other.seed);
  return { ...result, seconds: seconds() };
}

/** Feeds one thread. */
async function drive(
  { without, systems }: CampaignOptions,
  take: () => Piece | undefined,
  done: (result: PieceResult) => void,
): Promise<void> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: { without, systems } });
  await new Promise<void>((resolve, reject) => {
    const feed = (): void => {
      const piece = take();
      if (piece === undefined) resolve();
      else worker.postMessage(piece);
    };
    worker.on('message', (result: PieceResult) => {
      done(result);
      feed();
    });
    worker.on('error', reject);
    feed();
  });
  await worker.terminate();
}
