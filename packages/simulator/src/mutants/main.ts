import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { mutants } from './catalogue.ts';
import { readKnownSeeds, writeKnownSeeds } from './known-seeds.ts';
import type { Mutant } from './mutant.ts';
import type { Catch, MutantTask } from './worker.ts';

const usage = `npm run simulate:mutants -- [--seeds N] [--seed S] [--workers W] [--only TEXT] [--known | --unknown] [--record]

Puts one mistake after the other into the engine, and simulates until it is caught. Ends with exit code 1 when one was not.

  --seeds N     how many seeds a mutant may live through (3000)
  --seed S      the first of them (1); the seed that caught it last time comes before them
  --workers W   threads (2)
  --only TEXT   only the mutants whose name has this in it
  --known       only the mutants that a seed is known for
  --unknown     only those that none is known for
  --record      writes down at once which seed has caught which mutant, so that it is caught by it next time
  --help        shows this`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    known: { type: 'boolean', default: false },
    unknown: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const known = readKnownSeeds();
const found: Record<string, Catch> = {};
const isChosen = ({ name }: Mutant): boolean => name.includes(values.only) && !(known[name] === undefined ? values.known : values.unknown);
const chosen = mutants.filter(isChosen);
const nameWidth = Math.max(...chosen.map(({ name }) => name.length));
const waiting = [...chosen];
console.log(`${'Mutant'.padEnd(nameWidth)}  ${'Seed'.padStart(6)}  Invariant`);
await Promise.all(Array.from({ length: Number(values.workers) }, () => work()));
const alive = chosen.filter(({ name }) => found[name] === undefined);
console.log(`\n${chosen.length - alive.length} of ${chosen.length} mutants were caught`);
process.exitCode = alive.length > 0 ? 1 : 0;

function record(): void {
  const isThere = new Set(mutants.map(({ name }) => name));
  writeKnownSeeds(Object.fromEntries(Object.entries({ ...known, ...found }).filter(([name]) => isThere.has(name))));
}

async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const { name } = mutant;
    const tell = (seed: number | string, outcome: string): void =>
      console.log(`${name.padEnd(nameWidth)}  ${String(seed).padStart(6)}  ${outcome}`);
    try {
      const caught = await hunt(mutant);
      if (caught !== null) found[name] = caught;
      if (caught !== null && values.record) record();
      tell(caught?.seed ?? '-', caught?.invariant ?? 'NOT CAUGHT');
    } catch (error) {
      tell('-', `NOT TRIED: ${(error as Error).message}`);
    }
  }
}

async function hunt(mutant: Mutant): Promise<Catch | null> {
  const workerData: MutantTask = { mutant, known: known[mutant.name]?.seed, seed: Number(values.seed), seeds: Number(values.seeds) };
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData });
  const caught = await new Promise<Catch | null>((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  await worker.terminate();
  return caught;
}
