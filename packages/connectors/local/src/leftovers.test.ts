import { mkdir, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { givenUpAfter } from '@paceline/connector-host/testing';
import { expect, test } from 'vitest';
import { openShared } from './address.ts';
import { recordIntent } from './intent.ts';
import { openSite } from './site.ts';
import { carriersOf, context, engine, first, launchRequest, openHost, textOf, until } from './testing/host.ts';
import { joiningUserData } from './testing/fake-agent.ts';

const longAgo = new Date(Date.now() - 3_600_000);

test('an engine that dies between intent and start leaves a machine that the next launch finishes', async () => {
  await using host = await openHost();
  const request = launchRequest(joiningUserData);
  const site = await openSite({ root: host.root }, true);
  await openShared(site);
  const { id } = await recordIntent(site, request, first(request.machines), Date.now());
  expect(await host.describe(id)).toMatchObject({ state: 'pending' });
  expect(await host.list({ token: request.token })).toMatchObject([{ kind: 'machine', id, expiresAt: request.expiresAt }]);

  await host.connector.launch(request, context);
  await until('it has joined', () => textOf(host.path({ id }, 'joined')));
});

test('an intent that nobody finishes is terminated like a machine', async () => {
  await using host = await openHost();
  const request = launchRequest('#!/bin/sh\n');
  const site = await openSite({ root: host.root }, true);
  await openShared(site);
  const { id, address } = await recordIntent(site, request, first(request.machines), Date.now());
  await host.connector.terminate([id], context);
  expect(await host.list()).toEqual([]);
  await expect(stat(join(site.addresses, address))).rejects.toThrow('ENOENT');
});

test('a machine whose record is damaged is listed with its owner, and can be ended', async () => {
  await using host = await openHost();
  const [damaged, empty, fine] = await host.launch(joiningUserData, { count: 3 });
  await until('they have joined', async () =>
    (await Promise.all([damaged, empty, fine].map((each) => textOf(host.path(each ?? { id: '' }, 'joined'))))).every(Boolean),
  );
  await truncate(host.path(damaged ?? { id: '' }, 'machine.json'), 40);
  await rm(host.path(empty ?? { id: '' }, 'machine.json'));
  const machines = (await host.list({ run: 'run-1' })).filter(({ kind }) => kind === 'machine');
  const summary = Object.fromEntries(
    machines.map(({ id, machine }) => [id, { state: machine?.state, fault: machine?.fault?.slice(0, 27) }]),
  );
  expect(summary).toEqual({
    [damaged?.id ?? '']: { state: 'error', fault: 'machine.json cannot be read' },
    [empty?.id ?? '']: { state: 'error', fault: 'machine.json is missing' },
    [fine?.id ?? '']: { state: 'running', fault: undefined },
  });
  await host.connector.terminate(
    machines.map(({ id }) => id),
    context,
  );
  expect(await host.list()).toEqual([]);
  await until('its supervisor has ended, too', async () => (await carriersOf(host.root)).length === 0);
});

test('a machine that was noted and never started is started by the next launch, and nobody waits for it before', async () => {
  await using host = await openHost();
  const request = launchRequest(joiningUserData);
  await expect(host.connector.launch(request, givenUpAfter(1))).rejects.toMatchObject({ code: 'timeout' });
  const [noted] = await host.list({ token: request.token });
  expect(noted).toMatchObject({ kind: 'machine', token: request.token });
  expect(noted?.machine).toBeUndefined();
  expect(await host.connector.launch(request, context)).toMatchObject([{ id: noted?.id }]);
  await until('it has joined', () => textOf(host.path({ id: noted?.id ?? '' }, 'joined')));
  expect(await host.list({ token: request.token })).toMatchObject([{ id: noted?.id, machine: { state: 'running' } }]);
});

test('a directory of which nothing is left but the name can still be found and ended', async () => {
  await using host = await openHost();
  const id = 'local-0123456789abcdef';
  await mkdir(host.path({ id }), { recursive: true });
  expect(await host.list()).toMatchObject([{ kind: 'machine', id, owner: { engine, run: '' }, machine: { state: 'error' } }]);
  expect(await host.list({ run: 'run-1' })).toEqual([]);
  await host.connector.terminate([id], context);
  expect(await host.list()).toEqual([]);
});

test('processes of a machine whose directory somebody deleted die all the same', async () => {
  await using host = await openHost();
  const machine = await host.launchOne('#!/bin/sh\ncd /\nexec sleep 100\n');
  await until('it runs', async () => (await carriersOf(`PACELINE_MACHINE=${machine.id}`)).length > 0);
  await rm(host.path(machine), { recursive: true });
  await host.connector.terminate([machine.id], context);
  expect(await carriersOf(`PACELINE_MACHINE=${machine.id}`)).toEqual([]);
  expect(await readdir(join(host.root, 'runs'))).toEqual([]);
});

test('a run that is left without machines is a group that can be removed, and not before', async () => {
  await using host = await openHost();
  const machine = await host.launchOne(joiningUserData);
  await until('it has joined', () => textOf(host.path(machine, 'joined')));
  const group = (await host.list()).find(({ kind }) => kind === 'group');
  await expect(
    host.connector.remove?.(group ?? { kind: 'group', id: '', name: '', owner: { engine, run: '' } }, context),
  ).rejects.toMatchObject({ code: 'conflict' });

  const members = join(host.root, 'runs', group?.id ?? '', 'members');
  await rm(join(members, machine.id));
  await host.connector.remove?.(group ?? { kind: 'group', id: '', name: '', owner: { engine, run: '' } }, context);
  expect(await readdir(join(host.root, 'runs'))).toEqual([]);
  expect((await host.list()).map(({ kind }) => kind)).toEqual(['machine']);
});

test('addresses of vanished machines are listed, removed, and free again', async () => {
  await using host = await openHost();
  const site = await openSite({ root: host.root }, true);
  await openShared(site);
  const owner = { engine, run: 'run-1', node: 'server' };
  const claim = (address: string, machine: string) =>
    writeFile(join(site.addresses, address), JSON.stringify({ machine, owner, token: 'f'.repeat(32) }));
  const [ours, elsewhere, fresh] = ['127.16.255.1', '127.16.255.2', '127.16.255.3'];
  await Promise.all([
    claim(ours, host.path({ id: 'local-1' })),
    claim(elsewhere, '/deleted/root/machines/local-1'),
    claim(fresh, host.path({ id: 'local-2' })),
  ]);
  await Promise.all([ours, elsewhere].map((address) => utimes(join(site.addresses, address), longAgo, longAgo)));

  const listed = await host.list();
  expect(listed).toMatchObject([{ kind: 'address', id: ours, owner }]);
  await host.connector.remove?.(first(listed), context);
  expect(await host.list()).toEqual([]);

  await mkdir(join(site.staging, 'machine-left'));
  await utimes(join(site.staging, 'machine-left'), longAgo, longAgo);
  await host.launchOne('#!/bin/sh\n');
  const left = await readdir(site.addresses);
  expect(left).not.toContain(elsewhere);
  expect(left).toContain(fresh);
  expect(await readdir(site.staging)).toEqual([]);
  await rm(join(site.addresses, fresh));
});
