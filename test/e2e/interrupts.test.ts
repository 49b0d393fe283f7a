import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Person } from '../support/command.ts';

let person: Person;
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

describe('Ctrl-C', () => {
  it.each(['Provisioning', 'Executing'])('in %s cancels the run and leaves nothing', async (state) => {
    let sent = false;
    const up = await person.type(['up', 'examples/client-server', '-p', 'clients=3'], (output, kill) => {
      if (sent || !output.includes(state)) return;
      sent = true;
      kill('SIGINT');
    });
    expect(up.stdout + up.stderr).toContain('Cancelled');
    expect(up.code).not.toBe(0);
    expect(person.processes().filter((command) => !command.includes('server --embedded'))).toEqual([]);
  });

  it('twice leaves at once and says what may be left', async () => {
    let sent = 0;
    const up = await person.type(['up', 'examples/scripts-fail', '--keep-running', 'always'], (output, kill) => {
      if (sent === 0 && output.includes('Executing')) {
        sent = 1;
        kill('SIGINT');
        kill('SIGTERM');
      }
    });
    expect(up.code).not.toBe(0);
    expect(up.stdout + up.stderr).toMatch(/paceline down/);
    await person.type(['down']);
    expect(person.processes().filter((command) => !command.includes('server --embedded'))).toEqual([]);
  });
});

it('Ctrl-C ends a build, and takes its machine down', async () => {
  const module = join(await mkdtemp(join(tmpdir(), 'paceline-slow-')), 'slow.yaml');
  await writeFile(
    module,
    [
      'apiVersion: paceline.dev/v1',
      'kind: Image',
      'metadata: { name: slow }',
      'spec:',
      '  resources: { cpus: 1 }',
      '  scripts:',
      '    postInstall: |',
      '      #!/bin/sh',
      '      echo at work; sleep 1000',
      '',
    ].join('\n'),
  );
  let sent = false;
  const build = await person.type(['build', module, '--logs'], (output, kill) => {
    if (sent || !output.includes('at work')) return;
    sent = true;
    kill('SIGINT');
  });
  expect(sent, build.stdout + build.stderr).toBe(true);
  expect(build.code, build.stdout + build.stderr).toBe(130);
  expect(build.stdout + build.stderr).toContain('Cancelled');
  expect(person.processes().filter((command) => !command.includes('server --embedded'))).toEqual([]);
  expect((await person.type(['images'])).stdout).not.toContain('slow');
});

it('an engine that is killed under `up` is started again, and the run ends well', async () => {
  let killed = false;
  const up = await person.type(['up', 'examples/client-server', '-p', 'clients=3'], (output) => {
    if (killed || !output.includes('Executing')) return;
    killed = true;
    const { pid } = JSON.parse(readFileSync(join(person.state, 'engine.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
  });
  expect(killed).toBe(true);
  expect(up.code, up.stdout + up.stderr).toBe(0);
  expect(up.stdout).toContain('Ready after');
  expect((await person.type(['down'])).code).toBe(0);
});
