import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { context, engine, first, launchRequest, until } from '@paceline/connector-host/testing';
import type { Connector, ConnectorContext, LaunchRequest, Resource } from '@paceline/engine/connector';
import { openSshServer, whyNoSshServer } from '@paceline/engine/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configSchema, connectorModule } from './index.ts';
import { Letters } from './letters.ts';
import { keptCloud, nodesOf } from './testing/clouds.ts';
import { reason, scratch } from './testing/python.ts';

const run = randomUUID();
const owner = { engine, run, node: 'server' };

function request(options: Partial<LaunchRequest> & { count?: number } = {}): LaunchRequest {
  return launchRequest('#!/bin/sh\n# zwölf 漢字 "quoted"\n', { owner, ...options });
}

async function open(settings: Record<string, unknown>): Promise<Connector> {
  const connector = await connectorModule.createConnector(settings);
  onTestFinished(() => connector.close?.());
  return connector;
}

async function listed(connector: Connector, query: { run?: string; token?: string } = {}): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const resource of connector.list({ engine, ...query }, context)) found.push(resource);
  return found;
}

describe.skipIf(reason !== undefined)(`a cloud of Libcloud${reason === undefined ? '' : ` (${reason})`}`, () => {
  test('gives machines their user data unchanged, in the smallest size that is large enough', async () => {
    const folder = scratch();
    const connector = await open(keptCloud(folder));
    await connector.launch(request({ memoryMiB: 300 }), context);
    expect(nodesOf(folder)).toMatchObject([{ size: 'Medium', image: 'debian-12', user_data: '#!/bin/sh\n# zwölf 漢字 "quoted"\n' }]);
    await expect(connector.launch(request({ memoryMiB: 1_000_000 }), context)).rejects.toMatchObject({
      code: 'invalid',
      message: 'no size has 0 CPUs, 1000000 MiB of memory and a disk of 0 GiB',
      details: { hint: 'There are: Small, Medium, Big, XXL Big.' },
    });
    const chosen = await open(keptCloud(folder, { sizes: ['Big', '1'] }));
    await chosen.launch(request(), context);
    expect(nodesOf(folder)[1]).toMatchObject({ size: 'Big' });
  });

  test('finds and ends machines by their names alone when all that was noted of them is lost', async () => {
    const folder = scratch();
    const settings = keptCloud(folder);
    const launch = request({ count: 2 });
    const [machine] = await (await open(settings)).launch(launch, context);
    expect(nodesOf(folder).map(({ name }) => name)).toEqual([
      expect.stringMatching(/^pl-[0-9a-z-]{50,60}$/),
      expect.stringMatching(/^pl-[0-9a-z-]{50,60}$/),
    ]);
    await rm(join(folder, 'root'), { recursive: true });
    const connector = await open(settings);
    const found = await listed(connector, { token: launch.token });
    expect(found.map(({ owner: { run: its }, machine: { index } = {} }) => ({ its, index }))).toEqual([
      { its: run, index: 1 },
      { its: run, index: 2 },
    ]);
    expect(found[0]?.expiresAt?.getTime()).toBeCloseTo(launch.expiresAt.getTime(), -4);
    expect(await listed(connector, { token: 'f'.repeat(32) })).toEqual([]);
    expect((await connector.launch(launch, context)).map(({ id }) => id)).toEqual(found.map(({ id }) => id));
    await connector.terminate([machine?.id ?? ''], context);
    expect(nodesOf(folder)).toHaveLength(1);
  });

  test('says why a launch is not whole', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'memory.json'), JSON.stringify({ made: 0, nodes: [], room: 1 }));
    const connector = await open(keptCloud(folder));
    const warned: string[] = [];
    const launch = launchRequest('#!/bin/sh\n', { owner, count: 2 });
    const machines = await connector.launch(launch, { ...context, log: { info: () => undefined, warn: (text) => void warned.push(text) } });
    expect(machines.map(({ index }) => index)).toEqual([1]);
    expect(warned).toEqual([expect.stringMatching(/^Could not launch more than 1 of 2 machines: .*the quota of this project is used up$/)]);
  });

  test('keeps its hands off machines that it has not made', async () => {
    const folder = scratch();
    const nodes = ['web-1', 'pl-not-ours'].map((name, at) => ({
      id: `foreign-${at}`,
      name,
      size: 'Small',
      image: 'debian-12',
      key: null,
      user_data: null,
      created: '2026-01-01T00:00:00+00:00',
    }));
    writeFileSync(join(folder, 'memory.json'), JSON.stringify({ made: 2, nodes }));
    const connector = await open(keptCloud(folder));
    const ids = nodes.map(({ id }) => id);
    expect((await connector.describe(ids, context)).size).toBe(0);
    expect(await connector.terminate(ids, context)).toEqual(ids.map((id) => ({ id, gone: true })));
    expect(await listed(connector)).toEqual([]);
    expect(nodesOf(folder)).toHaveLength(2);
  });

  test('tells secrets to nobody but the driver', async () => {
    const word = process.env['PACELINE_TEST_WORD'];
    const file = join(scratch(), 'word');
    writeFileSync(file, 'a-word-that-is-wrong\n');
    const said: string[] = [];
    const log = { info: (text: string) => void said.push(text), warn: (text: string) => void said.push(text) };
    const connector = await open({ ...keptCloud(), credentials: { creds: { file } } });
    await expect(connector.probe({ ...context, log })).rejects.toMatchObject({ code: 'auth' });
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      for (const name of ['cmdline', 'environ']) expect(contentOf(`/proc/${pid}/${name}`)).not.toContain('a-word-that-is-wrong');
    }
    expect(said.join('\n')).not.toContain('a-word-that-is-wrong');
    delete process.env['PACELINE_TEST_WORD'];
    onTestFinished(() => void (process.env['PACELINE_TEST_WORD'] = word));
    await expect(
      connectorModule.createConnector({ ...keptCloud(), credentials: { creds: { env: 'PACELINE_NO_WORD' } } }),
    ).rejects.toMatchObject({
      code: 'auth',
      message: 'The environment variable PACELINE_NO_WORD, which holds the credential creds, is not set',
    });
  });

  test.each([
    [{ driver: 'nocloud' }, 'invalid', 'there is no driver nocloud'],
    [{ driver: 'kept.Nobody' }, 'invalid', 'there is no driver kept.Nobody'],
    [{ arguments: { colour: 'red' } }, 'invalid', 'the driver kept.Kept does not take these arguments: Kept.__init__() got an unexpected'],
    [{ driver: 'kept.Mute' }, 'invalid', 'the driver kept.Mute hands no user data to machines'],
    [{ driver: 'softlayer' }, 'invalid', 'there is no driver softlayer'],
  ])('%j is refused', async (settings, code, message) => {
    const refused = open(keptCloud(scratch(), settings)).then((connector) => connector.probe(context));
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  describe.skipIf(whyNoSshServer !== undefined || process.getuid?.() !== 0)('whose driver hands no user data to machines', () => {
    test('begins them by SSH, once, also when another process has launched them', async () => {
      await using site = await openSite();
      const launch = site.request();
      const launcher = await open(site.settings());
      // Nobody hears the answer.
      await (await open({ ...site.settings(), ssh: undefined, driver: 'kept.Kept' })).launch(launch, context).catch(() => undefined);
      await new Letters(site.root).write(launch, Date.now());
      const connector = await open(site.settings());
      const { id } = first(await listed(connector, { token: launch.token }));
      await until('the user data has run', async () => {
        await connector.describe([id], context);
        return site.begun() === 1;
      });
      await until('its letter is gone', () => site.letters() === 0);
      await launcher.launch(launch, context);
      await until('the letter that came again is gone', async () => {
        await launcher.describe([id], context);
        return site.letters() === 0;
      });
      expect(site.begun()).toBe(1);
      expect(nodesOf(site.folder)).toHaveLength(1);
    });

    test('keeps what it cannot deliver until its machine has ended', async () => {
      await using site = await openSite();
      const connector = await open(site.settings({ port: 1 }));
      const said: string[] = [];
      const listening: ConnectorContext = { ...context, log: { info: (text) => void said.push(text), warn: () => undefined } };
      const { id } = first(await connector.launch(site.request(), context));
      expect(nodesOf(site.folder)[0]?.key).toBe(site.publicKey);
      await until('it says why', async () => {
        await connector.describe([id], listening);
        return said.length > 0;
      });
      expect(said[0]).toMatch(/^server-1 at 127\.0\.0\.1 has not begun yet: .*ECONNREFUSED/);
      expect(site.letters()).toBe(1);
      await connector.terminate([id], context);
      expect(site.letters()).toBe(0);
    });

    test('says nothing to a machine that shows another key', async () => {
      await using site = await openSite();
      const other = readFileSync(join(site.folder, 'identity.pub'), 'utf8').trim();
      const connector = await open(site.settings({ hostKeys: [other] }));
      const said: string[] = [];
      const { id } = first(await connector.launch(site.request(), context));
      await until('it says why', async () => {
        await connector.describe([id], { ...context, log: { info: (text) => void said.push(text), warn: () => undefined } });
        return said.length > 0;
      });
      expect(said[0]).toContain('is not the one it should be');
      expect(site.begun()).toBe(0);
      expect(site.letters()).toBe(1);
    });
  });
});

test('a Python without Libcloud is told what to install', async () => {
  const bare = join(scratch(), 'bare');
  execFileSync('python3', ['-m', 'venv', '--without-pip', bare]);
  const refused = connectorModule.createConnector({ ...keptCloud(), python: join(bare, 'bin', 'python') });
  await expect(refused).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/has no Apache Libcloud: No module named 'libcloud'$/),
    details: { hint: expect.stringContaining('bin/pip install apache-libcloud==3.9.1') },
  });
  await expect(connectorModule.createConnector({ ...keptCloud(), python: '/nowhere/python' })).rejects.toMatchObject({
    code: 'unavailable',
    details: { hint: expect.stringContaining('Python 3.10 or newer') },
  });
});

test('a configuration says who is trusted', () => {
  const ssh = { identity: '/key' };
  expect(configSchema.safeParse({ driver: 'gandi', root: '/r', ssh }).success).toBe(false);
  expect(configSchema.safeParse({ driver: 'gandi', root: '/r', ssh: { ...ssh, hostKeys: 'any' } }).success).toBe(true);
  expect(configSchema.safeParse({ driver: '../x', root: '/r' }).success).toBe(false);
  expect(configSchema.safeParse({ driver: 'gandi', root: '/r', credentials: { key: 'in clear' } }).success).toBe(false);
});

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** One machine that is there already, this host; what its user data does is counted. */
async function openSite() {
  const server = await openSshServer();
  const folder = scratch();
  const identity = join(folder, 'identity');
  if (!('privateKey' in server.access.credential)) throw new Error('a key is needed');
  writeFileSync(identity, server.access.credential.privateKey, { mode: 0o600 });
  writeFileSync(`${identity}.pub`, `${server.publicKey}\n`);
  const mark = join(folder, 'begun');
  const keys: string[] = [];
  const root = join(folder, 'root');
  return {
    folder,
    root,
    publicKey: server.publicKey,
    settings: (ssh: Record<string, unknown> = {}) =>
      keptCloud(folder, {
        driver: 'kept.Mute',
        ssh: { identity, port: server.access.port, user: server.access.user, hostKeys: 'any', ...ssh },
      }),
    request: () => {
      const launch = launchRequest(`#!/bin/sh\necho begun >>${mark}\n`, { owner });
      keys.push(`${launch.token}-1`);
      return launch;
    },
    begun: () => contentOf(mark).split('\n').filter(Boolean).length,
    letters: () => readdirSync(join(root, 'letters')).length,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      for (const key of keys) rmSync(join('/var/lib/paceline-begin', key), { recursive: true, force: true });
    },
  };
}
