import { parseArgs } from 'node:util';
import { faultKinds, type FaultKind } from '../faults/kinds.ts';

/** What a campaign is to do. */
export interface CampaignOptions {
  /** How many seeds. */
  runs: number;
  /** The first of them. */
  seed: number;
  workers: number;
  /** Shows the whole trace of each violation, and of a single seed also without one. */
  trace: boolean;
  /** Leaves these kinds of faults out. */
  without: FaultKind[];
  /** Starts no more systems than this, of those that each seed has. */
  systems: number | undefined;
}

export const usage = `npm run simulate -- [--runs N] [--seed S] [--workers W] [--trace] [--without KIND,KIND] [--systems N]

Simulates the engine in worlds made of seeds, where everything goes wrong that can, and checks that nothing is lost or left.
Ends with exit code 1 when an invariant was broken, and shows how to see that again.

  --runs N        how many seeds are simulated (1000)
  --seed S        the first of them (1)
  --workers W     threads (2)
  --trace         the whole trace of a violation, or of a single seed; otherwise its last part
  --without ...   leaves kinds of faults out
  --systems N     starts at most so many systems of each seed
  --help          shows this

  npm run simulate -- --runs 10000 --seed 1        # a campaign
  npm run simulate -- --runs 1 --seed 77 --trace   # one seed, line by line`;

/** @throws Error for what cannot be understood */
export function parseOptions(argv: string[]): CampaignOptions {
  const { values } = parseArgs({
    args: argv,
    options: {
      runs: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      trace: { type: 'boolean', default: false },
      without: { type: 'string', default: '' },
      systems: { type: 'string' },
    },
  });
  const without = values.without.split(',').filter((kind) => kind !== '');
  return {
    runs: whole('runs', values.runs),
    seed: whole('seed', values.seed),
    workers: whole('workers', values.workers),
    trace: values.trace,
    without: without.map((kind) => faultKinds.find((known) => known === kind) ?? unknown(kind)),
    systems: values.systems === undefined ? undefined : whole('systems', values.systems),
  };
}

/** The command that does the same again with one seed. */
export function replayCommand(seed: number, without: Iterable<FaultKind>, systems: number | undefined): string {
  const left = [...without].join(',');
  return `npm run simulate -- --runs 1 --seed ${seed}${left === '' ? '' : ` --without ${left}`}${systems === undefined ? '' : ` --systems ${systems}`}`;
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} must be a whole number, not ${text}`);
  return number;
}

function unknown(kind: string): never {
  throw new Error(`there is no kind of faults ${kind}: there are ${faultKinds.join(', ')}`);
}
