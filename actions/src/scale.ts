import { existsSync } from 'node:fs';
import { info, setOutput } from '@actions/core';
import { followRun, scaleWish } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import { scaleInputs } from './run/options.ts';
import { runStep, type Step } from './run/step.ts';
import { logView } from './runner/inert.ts';
import { stateOf } from './runner/job.ts';
import { connectionOf, openSession } from './session/session.ts';

/** Adds, removes or resizes machines of a node of a run that is ready, and waits until it is ready again. */
async function main({ inputs, job, cancelled, output }: Step): Promise<void> {
  const id = inputs.needed('run');
  const node = inputs.needed('node');
  const words = {
    change: inputs.text('change'),
    remove: inputs.text('remove'),
    tolerate: inputs.text('tolerate'),
    cpus: inputs.text('cpus'),
    memory: inputs.text('memory'),
    attachDisk: inputs.text('attach-disk'),
    detachDisk: inputs.text('detach-disk'),
    ids: inputs.text('ids'),
  };
  const wish = scaleWish(node, words, 'inputs');
  if (inputs.text('server') === undefined && !existsSync(stateOf(job, id))) {
    throw new PacelineError('PACELINE_NOT_FOUND', `This job has started no run ${id}`, {
      hint: 'Give the output `run` of a deploy step of the same job, or a server.',
    });
  }
  const { client } = await openSession({ ...connectionOf(inputs), job, run: id });
  const before = await client.runs.get(id);
  const { instances } = await client.runs.scale(id, wish);
  setOutput('instances', JSON.stringify(instances));
  if (instances.length === 0) return info(`${node} is as it should be`);
  info(`${node}: ${instances.join(' ')}`);
  const view = logView(output, process.env);
  try {
    const run = await followRun({ client, run: id, view, after: before.lastEvent, logs: true, signal: cancelled, endsReady: () => true });
    cancelled.throwIfAborted();
    if (run.abort !== null) throw new PacelineError('PACELINE_RUN_ABORTED', run.abort.reason);
    if (run.endedAt !== null) throw new PacelineError('PACELINE_RUN_ENDED', `The run has ended: ${run.state}`);
  } finally {
    view.close();
  }
}

await runStep(scaleInputs, main);
