import { createHash } from 'node:crypto';
import { fstatSync, readFileSync, readSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Assignment, scriptGraceMs } from '@paceline/api/agent';
import { withFile } from '../durable.ts';
import type { Paths } from '../paths.ts';
import type { Bench } from './bench.ts';
import { attempt } from './failure.ts';
import { type Command, type Exit, type ProcessFiles, ScriptProcess, readResult } from './process.ts';
import type { StepRecord } from './store.ts';
import { tried } from '../tried.ts';

/** The engine learns of a step's end at most this many milliseconds after it, however much output is still on its way. */
const outputFirst = 1000;

export interface StepCommand {
  seq: number;
  id: string;
  /** Called only when the command really has to be started. Its error is the step's failure. */
  make: () => Promise<Command>;
  /** The command is to be stopped. */
  stop: AbortSignal;
}

/** Run a command that survives the agent: started, found again, or found to have ended meanwhile; never started twice in one boot. */
export async function runCommand(bench: Bench, { seq, id, make, stop }: StepCommand): Promise<Exit> {
  const { store, bootId, clock, log } = bench;
  let record = store.step(id);
  let files = stepFiles(bench.paths, seq, id, record?.attempt ?? 1);
  let process: ScriptProcess | undefined;
  // A machine that goes down in good order ends everything by SIGTERM, SIGHUP or SIGKILL first, which shells tell by these numbers.
  if (record && record.bootId !== bootId && [undefined, 129, 137, 143].includes(readResult(files.result))) {
    log(`The machine booted in the middle of step ${id}: it begins anew`);
    files = stepFiles(bench.paths, seq, id, record.attempt + 1);
  } else if (record) {
    process = ScriptProcess.adopt(files, clock, record.startTime);
    if (process) log(`Step ${id} goes on as process ${process.pid}`);
    else files = stepFiles(bench.paths, seq, id, record.attempt + 1);
  }
  if (!process) {
    const command = await make();
    if (stop.aborted) return {};
    record = { status: 'running', attempt: files.attempt, bootId };
    attempt('record that it begins', () => store.record(id, record!));
    process = attempt('start it', () => ScriptProcess.start(command, files, clock));
    record.startTime = process.startTime;
    store.note();
  }
  follow(bench, files);
  const exit = await untilEnd(process, stop);
  if (process.groupAlive) store.state.sessions.push(process.pid);
  await Promise.race([
    Promise.all([bench.output.finish(files.sources[0]), bench.output.finish(files.sources[1])]),
    clock.sleep(outputFirst),
  ]);
  return exit;
}

async function untilEnd(process: ScriptProcess, stop: AbortSignal): Promise<Exit> {
  const onStop = (): void => void process.stop(scriptGraceMs);
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  try {
    return await process.exit;
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}

function follow({ output, stored }: Bench, { sources }: StepFiles): void {
  output.follow(sources[0], 'stdout', stored(sources[0]));
  output.follow(sources[1], 'stderr', stored(sources[1]));
}

/** Output of an ended step that the engine has not got yet, from before a restart of the agent. */
export function sendRest(bench: Bench, seq: number, id: string, record: StepRecord): void {
  const { sources, stdout, stderr } = stepFiles(bench.paths, seq, id, record.attempt);
  for (const [index, file] of [stdout, stderr].entries()) {
    const source = sources[index]!;
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= bench.stored(source)) continue;
    bench.output.follow(source, index === 0 ? 'stdout' : 'stderr', bench.stored(source));
    void bench.output.finish(source);
  }
}

/** The process that the script under way was started as, by this agent or one before it; it leads a session of its own. */
export function scriptUnderWay({ store, paths }: Bench, { seq, steps }: Assignment): number | undefined {
  const step = store.state.seq === seq && steps.find(({ kind, id }) => kind === 'script' && store.step(id)?.status === 'running');
  return step ? tried(() => Number(readFileSync(stepFiles(paths, seq, step.id, store.step(step.id)!.attempt).begun, 'utf8'))) : undefined;
}

/** Stop what an agent before this one has left running of that step. */
export async function stopAbandoned(bench: Bench, seq: number, id: string, record: StepRecord): Promise<void> {
  if (record.status !== 'running' || record.bootId !== bench.bootId) return;
  const process = ScriptProcess.adopt(stepFiles(bench.paths, seq, id, record.attempt), bench.clock, record.startTime);
  if (process?.alive) await process.stop(scriptGraceMs);
}

export interface StepFiles extends ProcessFiles {
  attempt: number;
  /** Names of the two output files, as the engine and the report know them. */
  sources: [stdout: string, stderr: string];
}

export function stepFiles(paths: Paths, seq: number, id: string, attempt: number): StepFiles {
  const plain = id.replaceAll(/[^\w.-]/g, '-').slice(0, 80);
  const name = `${seq}-${plain === id ? id : `${plain}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`}`;
  const sources: [string, string] = [`${name}.stdout.log`, `${name}.stderr.log`];
  return {
    attempt,
    sources,
    begun: join(paths.steps, `${name}.${attempt}.begun`),
    result: join(paths.steps, `${name}.${attempt}.result`),
    stdout: join(paths.reports, sources[0]),
    stderr: join(paths.reports, sources[1]),
  };
}

/** Results of earlier work are of no use any more. */
export function clearResults(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true });
}

/** The last line with anything on it, as the reason of a failure. */
export function lastLine(file: string): string {
  const last = tried(() =>
    withFile(file, 'r', (fd) => {
      const size = fstatSync(fd).size;
      const buffer = Buffer.alloc(Math.min(size, 64 * 1024));
      readSync(fd, buffer, 0, buffer.length, size - buffer.length);
      const lines = buffer.toString().split(/[\r\n]+/);
      return lines.findLast((line) => line.trim());
    }),
  );
  return last?.trim().slice(0, 4000) ?? '';
}

/** What to say of a command that failed: its last word, or how it ended. */
export function failureOf({ code, signal }: Exit, lastWord: string): string {
  const how = signal ? `killed by ${signal}` : code === undefined ? 'killed (it left no exit code)' : `exit code ${code}`;
  if (!lastWord) return how;
  return signal || code === undefined ? `${lastWord} (${how})` : lastWord;
}
