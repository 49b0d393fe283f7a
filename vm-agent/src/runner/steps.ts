import type { PackagesStep, ScriptStep, Step } from '@paceline/api/agent';
import { sendReport } from '../report/send.ts';
import type { Bench, Outcome } from './bench.ts';
import { failureOf, lastLine, runCommand, stepFiles } from './command.ts';
import { failed } from './failure.ts';
import { packagesArgv } from './packages.ts';
import type { Command } from './process.ts';
import { interpreterArgv, scriptText, writeScript } from './script.ts';

/** A step whose failure is the run's. */
export function aborts(step: Step): boolean {
  return step.kind === 'packages' || (step.kind === 'script' && step.aborts);
}

/** A step that an abort does not stop. */
export function immune(step: Step): boolean {
  return step.kind === 'report' || (step.kind === 'script' && step.immune);
}

/** Carry out one step. Does not throw: whatever goes wrong is the outcome. */
export async function runStep(bench: Bench, seq: number, step: Step, stop: AbortSignal): Promise<Outcome> {
  try {
    if (step.kind === 'report') return await sendReport(bench, step, stop);
    return await runScript(bench, seq, step, stop);
  } catch (error) {
    if (stop.aborted) return { status: 'stopped' };
    return failed(bench, step, error as Error);
  }
}

async function runScript(bench: Bench, seq: number, step: ScriptStep | PackagesStep, stop: AbortSignal): Promise<Outcome> {
  const make = (): Promise<Command> => (step.kind === 'script' ? scriptCommand(bench, step, stop) : packagesCommand(bench, step));
  const exit = await runCommand(bench, { seq, id: step.id, make, stop });
  const { code: exitCode } = exit;
  if (exitCode === 0) return { status: 'done', exitCode };
  if (stop.aborted) return { status: 'stopped', exitCode };
  const { stderr } = stepFiles(bench.paths, seq, step.id, bench.store.step(step.id)?.attempt ?? 1);
  return { ...failed(bench, step, new Error(failureOf(exit, lastLine(stderr)))), exitCode };
}

async function scriptCommand({ paths, engine, env, clock }: Bench, step: ScriptStep, stop: AbortSignal): Promise<Command> {
  const text = await scriptText(step.digest, { engine, cache: paths.cache, clock, signal: stop });
  const file = writeScript(paths.scripts, step, text);
  return {
    argv: interpreterArgv(text, file),
    cwd: paths.cwd,
    env: {
      ...env,
      ...(step.phase === 'report' && { SLIPSTREAM_REPORT_DIR: paths.reports }),
      ...(step.immune && { PACELINE_IGNORE_ABORT: '1' }),
      ...step.env,
    },
  };
}

async function packagesCommand({ paths, config, env }: Bench, step: PackagesStep): Promise<Command> {
  return { argv: packagesArgv(paths.state, config.packages, step.packages), cwd: paths.cwd, env };
}
