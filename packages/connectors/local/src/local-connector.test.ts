import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnerQuery } from '@paceline/engine/connector';
import { describe, expect, test } from 'vitest';
import { connectorModule } from './index.ts';
import { openSite } from './site.ts';
import { carriersOf, context, engine, first, launchRequest, openHost, textOf, until } from './testing/host.ts';
import { joiningUserData } from './testing/fake-agent.ts';

test('a machine is launched, described and terminated', async () => {
  await using host = await openHost();
  const machine = await host.launchOne('#!/bin/sh\nenv >env.txt; pwd >pwd.txt; echo hello >&2; mv env.txt env\n');
  expect(machine).toMatchObject({ index: 1, name: 'server-1', publicIps: [], privateIps: [expect.stringMatching(/^127\./)] });

  await until('the user data has run', async () => (await textOf(host.path(machine, 'exit'))) === '0');
  expect(await host.describe(machine.id)).toMatchObject({ id: machine.id, state: 'running', createdAt: machine.createdAt });
  const env = (await textOf(host.path(machine, 'env'))) ?? '';
  const names = env.split('\n').map((line) => line.split('=')[0] ?? '');
  // Some shells add to what they are given.
  expect(names.filter((name) => !['_', 'SHLVL', 'OLDPWD'].includes(name)).toSorted()).toEqual(
    (
      'HOME LANG PACELINE_ADDRESS PACELINE_AGENT_CACHE PACELINE_MACHINE PACELINE_NODE PACELINE_PACKAGES ' +
      'PACELINE_RESIDENT PACELINE_ROOT PACELINE_SOCKET PATH PWD TMPDIR'
    ).split(' '),
  );
  expect(env).toContain(`PACELINE_ADDRESS=${first(machine.privateIps)}\n`);
  expect(await textOf(host.path(machine, 'pwd.txt'))).toBe(host.path(machine));

  expect(await host.connector.terminate([machine.id], context)).toEqual([{ id: machine.id, gone: true }]);
  expect(await host.describe(machine.id)).toBeUndefined();
  expect(await host.list()).toEqual([]);
  expect(await readdir(join(host.root, 'runs'))).toEqual([]);
  const site = await openSite({ root: host.root }, false);
  await expect(stat(join(site.addresses, first(machine.privateIps)))).rejects.toThrow('ENOENT');
});

test('terminating what is not there, or twice, succeeds', async () => {
  await using host = await openHost();
  const machine = await host.launchOne('#!/bin/sh\nsleep 100\n');
  const ids = [machine.id, 'local-0123456789abcdef', '../../etc', machine.id];
  const gone = ids.map((id) => ({ id, gone: true }));
  expect(await Promise.all([host.connector.terminate(ids, context), host.connector.terminate(ids, context)])).toEqual([gone, gone]);
  expect(await host.connector.terminate(ids, context)).toEqual(gone);
});

test('no machine seems to be abandoned while its run is set up', async () => {
  await using host = await openHost();
  const machines = await host.launch('#!/bin/sh\n', { count: 10 });
  const states = new Set<string | undefined>();
  await until('all have booted', async () => {
    const seen = await host.connector.describe(
      machines.map(({ id }) => id),
      context,
    );
    [...seen.values()].forEach(({ state }) => states.add(state));
    return (await Promise.all(machines.map((machine) => textOf(host.path(machine, 'exit'))))).every((exit) => exit === '0');
  });
  expect([...states].filter((state) => state !== 'pending' && state !== 'running')).toEqual([]);
});

test('machines are found by engine, run and token', async () => {
  await using host = await openHost();
  const owner = { engine, run: 'run-2', node: 'client' };
  const one = launchRequest('#!/bin/sh\n');
  const two = launchRequest('#!/bin/sh\n', { owner });
  await Promise.all([host.connector.launch(one, context), host.connector.launch(two, context)]);
  const select = async (query: Partial<OwnerQuery>) =>
    (await host.list(query)).map(({ kind, owner: { run } }) => `${kind} ${run}`).toSorted();
  expect(await select({})).toEqual(['group run-1', 'group run-2', 'machine run-1', 'machine run-2']);
  expect(await select({ run: 'run-2' })).toEqual(['group run-2', 'machine run-2']);
  expect(await select({ token: one.token })).toEqual(['machine run-1']);
  expect(await select({ engine: 'another' })).toEqual([]);
  expect(first(await host.list({ token: two.token }))).toMatchObject({
    owner,
    token: two.token,
    expiresAt: two.expiresAt,
  });
});

describe('user data that fails', () => {
  test('makes the machine an error with the last line of its console', async () => {
    await using host = await openHost();
    const machine = await host.launchOne('#!/bin/sh\necho trying\necho "no such package: wgte" >&2\nexit 3\n');
    const failed = await until(
      'the failure shows',
      async () => (await host.describe(machine.id))?.fault && (await host.describe(machine.id)),
    );
    expect(failed).toMatchObject({ state: 'error', fault: 'no such package: wgte' });
  });

  test('for want of its interpreter', async () => {
    await using host = await openHost();
    const machine = await host.launchOne('#!/no/such/shell\n');
    const failed = await until('the failure shows', async () => (await host.describe(machine.id))?.fault);
    expect(failed).toContain('not found');
  });

  test('by being killed', async () => {
    await using host = await openHost();
    const machine = await host.launchOne('#!/bin/sh\nkill -KILL $PPID\n');
    const failed = await until('the failure shows', async () => (await host.describe(machine.id))?.fault);
    expect(failed).toBe('the user data was killed before it ended');
  });

  test('is refused when it is no script', async () => {
    await using host = await openHost();
    await expect(host.launch('#cloud-config\n')).rejects.toMatchObject({ code: 'invalid' });
    expect(await host.list()).toEqual([]);
  });
});

test('the console is read piece by piece', async () => {
  await using host = await openHost();
  const machine = await host.launchOne('#!/bin/sh\necho eins\nuntil [ -e go ]; do sleep 0.01; done\necho zwölf\n');
  const start = await until('the first line', async () => {
    const read = await host.connector.consoleLog?.(machine.id, 0, context);
    return read?.text === '' ? undefined : read;
  });
  expect(start).toEqual({ text: 'eins\n', next: 5 });
  expect(await host.connector.consoleLog?.(machine.id, 5, context)).toEqual({ text: '', next: 5 });
  await writeFile(host.path(machine, 'go'), '');
  await until('the end', async () => (await textOf(host.path(machine, 'exit'))) === '0');
  expect(await host.connector.consoleLog?.(machine.id, 5, context)).toEqual({ text: 'zwölf\n', next: 12 });
  await expect(host.connector.consoleLog?.('local-0123456789abcdef', 0, context)).rejects.toMatchObject({ code: 'notFound' });
});

test('30 machines come and go, and leave no process', async () => {
  await using host = await openHost();
  const begin = performance.now();
  const machines = await host.launch(joiningUserData, { count: 30 });
  const residents = await Promise.all(machines.map((machine) => until('the agent has it', () => textOf(host.path(machine, 'joined')))));
  expect(performance.now() - begin).toBeLessThan(3_000);
  expect(new Set(residents).size).toBe(1);
  expect(new Set(machines.flatMap((machine) => machine.privateIps)).size).toBe(30);
  expect(await carriersOf(host.root)).not.toEqual([]);

  await host.connector.terminate(
    machines.map(({ id }) => id),
    context,
  );
  await until('its supervisor has ended, too', async () => (await carriersOf(host.root)).length === 0);
  expect(await readdir(join(host.root, 'machines'))).toEqual([]);
  expect(await readdir(join(host.root, 'runs'))).toEqual([]);
});

test('probe names the account, and says what is wrong with the configuration', async () => {
  await using host = await openHost();
  expect(await host.connector.probe(context)).toEqual({ account: expect.stringMatching(/^.+@.+$/), regions: ['local'] });
  const wrong = connectorModule.createConnector({ root: host.root, node: '/no/such/node' });
  await expect(wrong.probe(context)).rejects.toMatchObject({ code: 'invalid' });
  const noDirectory = connectorModule.createConnector({ root: '/dev/null/machines' });
  await expect(noDirectory.launch(launchRequest('#!/bin/sh\n'), context)).rejects.toMatchObject({ code: 'invalid' });
  expect(() => connectorModule.createConnector({ root: 'relative' })).toThrow('must be an absolute path');
  const aborted = { ...context, signal: AbortSignal.abort() };
  await expect(host.connector.launch(launchRequest('#!/bin/sh\n'), aborted)).rejects.toMatchObject({ code: 'timeout' });
});
