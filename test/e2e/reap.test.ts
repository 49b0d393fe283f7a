import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Person } from '../support/command.ts';
import { until } from '../support/until.ts';

let person: Person;
beforeEach(async () => {
  person = await Person.arrive();
});
afterEach(() => person.leave());

const machines = (): string[] => person.processes().filter((command) => !command.includes('server --embedded'));

it('`paceline reap` finds and removes the machines of a run that nobody remembers', async () => {
  const up = await person.type(['up', 'examples/client-server', '--keep-running', 'always']);
  expect(up.code, up.stdout + up.stderr).toBe(0);
  expect((await person.type(['reap'])).stdout).toMatch(/^Nothing is left over \([1-9]\d* in use\)\n$/);

  // The database is lost; the key by which the machines are known is not.
  process.kill((JSON.parse(readFileSync(join(person.state, 'engine.json'), 'utf8')) as { pid: number }).pid, 'SIGKILL');
  for (const file of globSync(join(person.state, 'paceline.sqlite*'))) rmSync(file);

  const shown = await person.type(['reap']);
  expect(shown.stdout.match(/^local {2}machine local-\w+ {2}there is no run [\w-]+$/gm)).toHaveLength(3);
  expect(shown.stderr).toContain('Nothing was removed. `paceline reap --yes` removes');
  expect(machines()).not.toEqual([]);

  const reaped = await person.type(['reap', '--yes']);
  expect(reaped.code, reaped.stdout + reaped.stderr).toBe(0);
  expect(reaped.stdout.match(/^local {2}machine local-\w+ {2}there is no run [\w-]+: (removed|still going)$/gm)).toHaveLength(3);
  await until(() => expect(machines()).toEqual([]), 10_000);
  expect((await person.type(['reap'])).stdout).toBe('Nothing is left over (0 in use)\n');
});
