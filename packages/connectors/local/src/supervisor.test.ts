import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { carriersOf, context, first, lives, openHost, textOf, until, type TestHost } from './testing/host.ts';
import { joiningUserData } from './testing/fake-agent.ts';

async function onlyRun(host: TestHost): Promise<string> {
  return join(host.root, 'runs', first(await readdir(join(host.root, 'runs'))));
}

/** The process that holds the latest turn. */
async function supervisorOf(host: TestHost): Promise<number> {
  const turns = join(await onlyRun(host), 'turns');
  return until('a supervisor', async () => {
    const last = (await readdir(turns)).toSorted().at(-1);
    return last === undefined ? undefined : Number.parseInt(await readlink(join(turns, last)), 10);
  });
}

async function residentOf(host: TestHost): Promise<number> {
  const run = await onlyRun(host);
  return until('a resident agent', async () => Number.parseInt((await textOf(join(run, 'resident.pid'))) ?? '', 10) || undefined);
}

const joined = (host: TestHost, machine: { id: string }) => until('the agent has it', () => textOf(host.path(machine, 'joined')));

test('the machines of a run share one agent, another run has its own', async () => {
  await using host = await openHost();
  const other = { owner: { engine: 'engine-under-test', run: 'run-2', node: 'server' } };
  const [one, two, three] = await Promise.all([
    host.launchOne(joiningUserData),
    host.launchOne(joiningUserData),
    host.launchOne(joiningUserData, other),
  ]);
  expect(await joined(host, one)).toBe(await joined(host, two));
  expect(await joined(host, three)).not.toBe(await joined(host, one));
  expect(await textOf(`/proc/${await joined(host, one)}/environ`)).not.toContain('PACELINE_MACHINE');
});

test('the agent is started again after a crash', async () => {
  await using host = await openHost();
  const machine = await host.launchOne(joiningUserData);
  const before = Number(await joined(host, machine));
  process.kill(before, 'SIGKILL');
  const after = await until('another agent', async () => {
    const pid = Number(await textOf(host.path(machine, 'joined')));
    return pid !== before && pid;
  });
  expect(after).toBe(await residentOf(host));
  const console = await host.connector.consoleLog?.(machine.id, 0, context);
  expect(console?.text).toContain('paceline: the agent ended with status 137 and is started again');
});

test('a supervisor that died has a successor at the next launch, and there is still one agent', async () => {
  await using host = await openHost();
  const machine = await host.launchOne(joiningUserData);
  const agent = Number(await joined(host, machine));
  const supervisor = await supervisorOf(host);
  process.kill(supervisor, 'SIGKILL');
  await until('it is dead', () => !lives(supervisor));

  const [next] = await Promise.all([host.launchOne(joiningUserData), host.launchOne(joiningUserData), host.launchOne(joiningUserData)]);
  const successor = Number(await joined(host, next));
  expect(successor).not.toBe(agent);
  await until('the first agent is dead', () => !lives(agent));
  expect(lives(await supervisorOf(host))).toBe(true);
  await host.connector.terminate(
    (await host.list()).map(({ id }) => id),
    context,
  );
  await until('its supervisor has ended, too', async () => (await carriersOf(host.root)).length === 0);
});

test('a run that ends while another machine joins it goes on', async () => {
  await using host = await openHost();
  let last = await host.launchOne(joiningUserData);
  for (let round = 0; round < 8; round += 1) {
    const [, next] = await Promise.all([host.connector.terminate([last.id], context), host.launchOne(joiningUserData)]);
    last = next;
    await joined(host, last);
  }
  await host.connector.terminate([last.id], context);
  await until('its supervisor has ended, too', async () => (await carriersOf(host.root)).length === 0);
  expect(await readdir(join(host.root, 'staging'))).toEqual([]);
});

test('an agent that went home idle comes back for the next machine', async () => {
  await using host = await openHost();
  const machine = await host.launchOne('#!/bin/sh\n');
  const node = `#!/bin/sh\n${joiningUserData.slice('#!/bin/sh\n'.length)}`.replace("option('--idle-exit')", "'0.01'");
  const guest = await host.launchOne(node);
  const before = await joined(host, guest);
  await host.connector.terminate([guest.id], context);
  await until('the agent has gone', () => !lives(Number(before)));
  expect(await host.describe(machine.id)).toMatchObject({ state: 'running' });
  const begin = performance.now();
  expect(await joined(host, await host.launchOne(node))).not.toBe(before);
  expect(performance.now() - begin).toBeLessThan(900);
});
