import type { Resource } from '@paceline/engine/connector';
import { until } from '../../support/until.ts';
import { anotherRunner, type Bench } from './bench.ts';
import { otherActions, type ExampleWorkflow } from './examples.ts';
import { runWorkflow, type JobRecord, type RunningJob } from './workflow.ts';

const ways = ['cancel', 'kill', 'lose'] as const;
type Way = (typeof ways)[number];

/** One moment at which a job was cut, and what came of it. */
export interface SweepRow {
  workflow: string;
  way: Way;
  atMs: number;
  /** The step that was met, and how far it was. */
  place: string;
  conclusion: JobRecord['conclusion'];
  /** How the step that was met has ended: `itself` within the time that the runner gives, or `killed`. */
  ended: string;
  posts: (number | null)[];
  /** What the connector's own listing shows when the job is over; of a lost runner it is more. */
  shown: number;
  /** What it shows at the end: of a lost runner, after a scheduled reap. */
  left: Resource[];
  /** All that was printed. */
  output: string;
}

export interface SweepOptions {
  set: Bench;
  workflows: readonly ExampleWorkflow[];
  points: number;
  seed: number;
}

const workflowRun = 16_000_000_001;
const goneMs = 30_000;
const reapMs = 90_000;

/** Cuts jobs at moments that a seed determines, each in one of three ways, and looks what is left of them. */
export async function* sweep({ set, workflows, points, seed }: SweepOptions): AsyncGenerator<SweepRow> {
  const { runner, cloud, github } = set;
  const chance = random(seed);
  const scheduled = await anotherRunner(set, { GITHUB_RUN_ID: '16000000003' });
  const courses = new Map<string, Course>();
  for (let point = 0; point < points; point++) {
    const { name, text } = workflows[point % workflows.length] ?? { name: '', text: '' };
    const way = ways[point % ways.length] ?? 'cancel';
    const course = courses.get(name) ?? (await whole(set, text));
    courses.set(name, course);
    // Moments are spread over the time that a job takes, and found again by how far it is: this machine may be slower now.
    const atMs = Math.floor(chance() * course.lengthMs);
    const met = Math.max(
      0,
      course.placesAtMs.findLastIndex((placeMs) => placeMs <= atMs),
    );
    const restMs = Math.max(0, atMs - (course.placesAtMs[met] ?? 0));
    let place = 'over';
    let timer: NodeJS.Timeout | undefined;
    const began = (job: RunningJob): void => {
      let index = -1;
      job.moved = () => {
        if (++index !== met) return;
        timer = setTimeout(() => {
          ({ place } = job);
          job[way]();
        }, restMs);
      };
    };
    const job = await runWorkflow(text, { runner, others: otherActions, began });
    clearTimeout(timer);
    const shown = await cloud.listing();
    let output = job.steps.map((step) => `--- ${step.name}, ${step.entry}: ${step.code}\n${step.output}`).join('\n');
    if (way === 'lose') {
      github.workflowRuns.set(workflowRun, 'completed');
      // What a cloud is still ending is looked at again.
      await until(async () => {
        const reap = await scheduled.main('reap', { inputs: { clouds: cloud.file } });
        output += `\n--- reap: ${reap.code}\n${reap.output}`;
        if (reap.outputs['found'] !== '0') throw new Error('not all is gone');
      }, reapMs).catch(() => {});
      github.workflowRuns.delete(workflowRun);
    }
    const left = await cloud.listing();
    await until(() => {
      const [first] = cloud.processes();
      if (first !== undefined) throw new Error(`still runs after ${way} at ${atMs} ms of '${name}': ${first}\n${output}`);
    }, goneMs);
    const { conclusion } = job;
    yield { workflow: name, way, atMs, place, conclusion, ended: endOf(job), posts: postsOf(job), shown: shown.length, left, output };
  }
}

/** How a job goes that nobody disturbs. */
interface Course {
  lengthMs: number;
  /** When it got to each place. */
  placesAtMs: number[];
}

async function whole({ runner }: Bench, text: string): Promise<Course> {
  const begin = performance.now();
  const placesAtMs: number[] = [];
  const began = (job: RunningJob): void => {
    job.moved = () => placesAtMs.push(performance.now() - begin);
  };
  const job = await runWorkflow(text, { runner, others: otherActions, began });
  if (job.conclusion !== 'success') throw new Error(job.steps.map(({ output }) => output).join('\n'));
  return { lengthMs: performance.now() - begin, placesAtMs };
}

function endOf({ steps }: JobRecord): string {
  const codes = steps.map(({ code }) => code);
  if (codes.includes(null)) return 'killed';
  return codes.some((code) => code !== 0) ? 'itself' : 'whole';
}

function postsOf({ steps }: JobRecord): (number | null)[] {
  return steps.filter(({ entry }) => entry === 'post').map(({ code }) => code);
}

/** Numbers below 1 that a seed determines. */
function random(from: number): () => number {
  let state = from;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** For people. */
export function sweepTable(rows: readonly SweepRow[]): string {
  const cells = rows.map(({ workflow, way, atMs, place, ended, posts, shown, left, conclusion }) => [
    workflow,
    way,
    `${(atMs / 1000).toFixed(1)} s`,
    place,
    ended,
    conclusion,
    posts.length === 0 ? 'none' : posts.join(' '),
    String(shown),
    String(left.length),
  ]);
  const all = [['workflow', 'way', 'at', 'met', 'ended', 'job', 'post', 'shown after the job', 'left at last'], ...cells];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
