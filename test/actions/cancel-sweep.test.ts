import { expect, it } from 'vitest';
import { whyNoSandbox } from '../support/sandbox.ts';
import { bench } from './support/bench.ts';
import { exampleProject, exampleWorkflows } from './support/examples.ts';
import { sweep, sweepTable, type SweepRow } from './support/sweep.ts';

/** How many moments are tried on each cloud; many for a long run. */
const given = process.env['PACELINE_CANCEL_POINTS'];
const seed = Number(process.env['PACELINE_CANCEL_SEED'] ?? Date.now() % 2 ** 31);
const clouds = [
  { kind: 'local', points: Number(given ?? 6), why: undefined },
  { kind: 'sandbox', points: Number(given ?? 3), why: whyNoSandbox },
] as const;

/** Those with an engine in the job that start machines. */
const workflows = exampleWorkflows().filter(({ name, text }) => name !== 'Reap' && !text.includes('server:'));

it.for(clouds)(
  'example workflows cut at $points moments on $kind leave nothing',
  { timeout: 3 * 60 * 60_000 },
  async ({ kind, points, why }, { skip }) => {
    skip(why !== undefined, why);
    const set = await bench({}, kind);
    await exampleProject(set);
    const rows: SweepRow[] = [];
    for await (const row of sweep({ set, workflows, points, seed })) {
      rows.push(row);
      const where = `seed ${seed}\n${sweepTable(rows)}\n${row.output}`;
      expect(row.left, where).toEqual([]);
      expect(
        row.posts.every((code) => code === 0 || (code === null && row.way === 'lose')),
        where,
      ).toBe(true);
      // What is cancelled or killed is gone when its job is over; nobody has to come for it.
      if (row.way !== 'lose') expect(row.shown, where).toBe(0);
    }
    console.log(`${kind}, seed ${seed}\n${sweepTable(rows)}`);
  },
);
