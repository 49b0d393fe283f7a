import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { paceline, Person } from '../support/command.ts';
import { repository } from '../support/system.ts';
import { until } from '../support/until.ts';

let person: Person;
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

/** Whose machine says something, and goes on for a moment. */
const check = ['--only', 'console'];

/** Starts a test of the cloud, and waits until a machine of it is at work. */
async function testUnderWay(clouds: string) {
  const child = spawn(process.execPath, [paceline, 'connector', 'test', 'mine', '--clouds', clouds, ...check], {
    cwd: repository,
    env: { ...process.env, PACELINE_STATE_DIR: person.state, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close');
  await until(() => expect(machinesHaveSaid('first')).toBe(true), 30_000);
  return { kill: (signal: NodeJS.Signals) => child.kill(signal), end: async () => ({ code: (await ended)[0] as number | null, output }) };
}

function machinesHaveSaid(word: string): boolean {
  const root = join(person.state, 'machines');
  return filesIn(root).some((path) => contentOf(path).includes(`\n${word} `) || contentOf(path).startsWith(`${word} `));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const journal = (): string[] => readdirSync(join(person.state, 'connector-tests'));

describe.each([
  { name: 'local', settings: () => `connector: local, root: ${join(person.state, 'machines')}` },
  {
    name: 'exec',
    settings: () =>
      `connector: exec, command: [${join(repository, 'examples/connectors/python/connector.py')}], config: { root: ${join(person.state, 'machines')} }`,
  },
])('a test of the connector $name', ({ settings }) => {
  let clouds = '';
  beforeEach(() => {
    clouds = join(person.state, 'mine.yaml');
    writeFileSync(clouds, `clouds: { mine: { ${settings()} } }\n`);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('that gets %s ends the machines that it has launched', async (signal) => {
    const { kill, end } = await testUnderWay(clouds);
    kill(signal);
    const { code, output } = await end();
    expect(output).toMatch(/What the check has made is ended.*\n✗ console .*it was interrupted/s);
    expect(code).toBe(130);
    expect(journal()).toEqual([]);
    expect(filesIn(join(person.state, 'machines')).filter((path) => path.endsWith('machine.json'))).toEqual([]);
    expect(person.processes()).toEqual([]);
  });

  it('that is killed leaves machines that the next one ends, and says so', async () => {
    const { kill, end } = await testUnderWay(clouds);
    kill('SIGKILL');
    await end();
    expect(journal()).toHaveLength(1);
    const next = await person.type(['connector', 'test', 'mine', '--clouds', clouds, '--only', 'probe']);
    expect(next.stderr).toContain('Ended what an earlier test had left: ');
    expect(next.code, next.stdout).toBe(0);
    expect(journal()).toEqual([]);
    expect(person.processes()).toEqual([]);
  });
});
