import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeFile } from 'node:fs/promises';
import { until } from '../support/until.ts';
import { bench } from './support/bench.ts';
import { exampleProject, exampleWorkflows, otherActions } from './support/examples.ts';
import { serve } from './support/server.ts';
import { runWorkflow, type JobRecord } from './support/workflow.ts';

const address = 'https://paceline.example.org';
const [served, own] = [true, false].map((server) => exampleWorkflows().filter(({ text }) => text.includes(address) === server)) as [
  ReturnType<typeof exampleWorkflows>,
  ReturnType<typeof exampleWorkflows>,
];

const told = ({ steps }: JobRecord): string =>
  steps.map(({ name, entry, code, output }) => `--- ${name}, ${entry}: ${code}\n${output}`).join('\n');

it.each(own.map(({ name, page, text }): [string, string] => [`${name}, in ${page}`, text]))(
  '%s: runs as it is written',
  async (_name, text) => {
    const set = await bench();
    await exampleProject(set);
    const job = await runWorkflow(text, { runner: set.runner, others: otherActions });
    expect(job.conclusion, told(job)).toBe('success');
    await set.cloud.expectEmpty(20_000);
  },
);

it.each(served.map(({ name, page, text }): [string, string] => [`${name}, in ${page}`, text]))(
  '%s: runs with a server',
  async (_name, text) => {
    const set = await bench();
    await exampleProject(set);
    const { root } = set.cloud;
    const clouds = join(root, '..', 'server-clouds.yaml');
    const both = { 'aws-paris': { connector: 'local', root }, lab: { connector: 'local', root: `${root}-lab` } };
    await writeFile(clouds, JSON.stringify({ clouds: both }));
    const { url, client } = await serve(set, 'operator', clouds);
    const job = await runWorkflow(text.replaceAll(address, url), { runner: set.runner, others: otherActions });
    expect(job.conclusion, told(job)).toBe('success');
    const active = await client.runs.list({ active: true });
    // What is deployed on a server stays there, if it was asked for.
    expect(active.map(({ state }) => state)).toEqual(text.includes('keep-running: on-success') ? ['Ready'] : []);
    for (const { id } of active) await client.runs.terminate(id);
    await until(async () => expect(await client.runs.list({ active: true })).toEqual([]));
    await until(() => expect(set.cloud.processes()).toEqual([]));
  },
);
