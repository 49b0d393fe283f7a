import { readFileSync } from 'node:fs';
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
