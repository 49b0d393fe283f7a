import { openDatabase, simulate } from '../simulate.ts';
import { campaign } from './campaign.ts';
import { parseOptions, replayCommand, usage, type CampaignOptions } from './options.ts';
import { shrink } from './shrink.ts';
import { neverSeen, summary } from './tally.ts';

/** How many lines of a trace are shown without `--trace`. */
const shownLines = 80;

if (process.argv.includes('--help')) {
  console.log(usage);
  process.exit(0);
}
let options: CampaignOptions;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}

const { tally, found, seconds } = await campaign(options, (line) => console.log(line));
console.log(`\n${summary(tally, seconds)}`);
const missed = neverSeen(tally);
if (missed.length > 0) console.log(`Never: ${missed.join(', ')}`);
if (options.runs === 1 && found.length === 0 && options.trace) console.log(await traceOf(options.seed, options.without, options.systems));

const shown = new Set<string>();
for (const { seed, violation } of found) {
  if (shown.has(violation.invariant)) {
    console.log(`\nAlso seed ${seed}: ${violation.invariant}: ${violation.what}`);
    continue;
  }
  shown.add(violation.invariant);
  await show(seed);
}
process.exitCode = found.length > 0 ? 1 : 0;

async function show(seed: number): Promise<void> {
  const database = await openDatabase();
  const { without, systems } = options;
  const first = await simulate(seed, { database, without: new Set(without), ...(systems === undefined ? {} : { runs: systems }) });
  if (first.violation === undefined) {
    console.log(`\nSeed ${seed} was violated once and is not when it is simulated again: the simulation is not deterministic`);
    return;
  }
  const least = await shrink(first, database, without, systems);
  const { invariant, what, at } = least.outcome.violation ?? first.violation;
  console.log(`\nVIOLATION: ${invariant}\n  ${what}\n  seed ${seed}, after ${(at / 1000).toFixed(3)} s`);
  console.log(`  ${replayCommand(seed, without, systems)}\n  less of it: ${replayCommand(seed, least.without, least.systems)}\n`);
  console.log(await traceOf(seed, [...least.without], least.systems));
}

async function traceOf(seed: number, without: CampaignOptions['without'], systems: number | undefined): Promise<string> {
  const { trace } = await simulate(seed, { traced: true, without: new Set(without), ...(systems === undefined ? {} : { runs: systems }) });
  return trace?.text(options.trace ? Number.POSITIVE_INFINITY : shownLines) ?? '';
}
