import { existsSync } from 'node:fs';
import { info, setFailed, setOutput } from '@actions/core';
import { PacelineError } from '@paceline/model';
import { takeDownFailure } from './report/remains.ts';
import { endingLine } from './report/summary.ts';
import { connectionInputs } from './run/options.ts';
import { runStep, type Step } from './run/step.ts';
import { takeDownMs } from './run/settings.ts';
import { bringDown, findRun } from './run/take-down.ts';
import { stateOf } from './runner/job.ts';
import { connectionOf, openSession } from './session/session.ts';

/** Ends a run before its job ends, or one of another job on a server. */
async function main({ inputs, job, output }: Step): Promise<void> {
  const id = inputs.needed('run');
  if (inputs.text('server') === undefined && !existsSync(stateOf(job, id))) {
    throw new PacelineError('PACELINE_NOT_FOUND', `This job has started no run ${id}`, {
      hint: 'Give the output `run` of a deploy step of the same job, or a server.',
    });
  }
  const session = await openSession({ ...connectionOf(inputs), job, run: id });
  const { client, embedded } = session;
  const found = await findRun(client, id, true);
  if (found === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `There is no run ${id}`);
  const { run, left } = await bringDown({ session, run: id, output, deadline: performance.now() + takeDownMs('succeeded', undefined) });
  setOutput('state', run.state);
  info(endingLine(run, { kept: undefined, left, artifactUrl: undefined }));
  const failure = takeDownFailure(run, left, embedded);
  if (failure !== undefined) setFailed(failure);
}

await runStep(['run', ...connectionInputs], main);
