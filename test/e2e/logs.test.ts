import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@paceline/api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Person } from '../support/command.ts';

let person: Person;
let project: string;
beforeEach(async () => {
  person = await Person.arrive();
  project = await mkdtemp(join(tmpdir(), 'paceline-project-'));
});
afterEach(async () => {
  await person.leave();
  await rm(project, { recursive: true });
});

const machines = ['talker.1', 'talker.2', 'talker.3', 'talker.4'];
/** Of 101 bytes each: 8 MB by machine, of which no more than 10 MiB are streamed. */
const lines = 80_000;

it('`logs -f` shows all of 32 MB, while the scripts print it and after the run', async () => {
  await write('Image', 'talker', { scripts: { deploy: `#!/bin/sh\nseq -f '%0100.0f' 1 ${lines}\n` } });
  await write('Deployment', 'talkers', { nodes: { talker: { image: './image.yaml', multiplicity: machines.length } } });
  const up = await person.type(['up', project, '--keep-running', 'always', '--detach']);
  expect(up.code, up.stderr).toBe(0);
  const run = up.stdout.trim();

  const live = person.type(['logs', run, '-f']);
  await hasAll(run);
  expect((await person.type(['down', run])).code).toBe(0);
  for (const { code, stdout, stderr } of [await live, await person.type(['logs', run, '-f'])]) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const printed = Map.groupBy(stdout.matchAll(/^(\S+) +\| (\d+)$/gm), ([, machine = '']) => machine);
    expect([...printed.keys()].toSorted()).toEqual(machines);
    for (const numbers of printed.values()) {
      const wrong = numbers.findIndex(([, , number], index) => Number(number) !== index + 1);
      expect({ lines: numbers.length, wrong }).toEqual({ lines, wrong: -1 });
    }
  }
});

async function write(kind: string, name: string, spec: object): Promise<void> {
  const text = JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name }, spec });
  await writeFile(join(project, `${kind.toLowerCase()}.yaml`), text);
}

/** Waits until every machine has sent its last line: machines that go sooner take what they have not sent with them. */
async function hasAll(run: string): Promise<void> {
  const { url } = JSON.parse(await readFile(join(person.state, 'engine.json'), 'utf8')) as { url: string };
  const token = (await readFile(join(person.state, 'operator.token'), 'utf8')).trim();
  const waiting = new Set(machines);
  for await (const { instance, text } of createClient({ url, token }).followLogs(run)) {
    if (text.endsWith(`0${lines}\n`)) waiting.delete(instance);
    if (waiting.size === 0) return;
  }
}
