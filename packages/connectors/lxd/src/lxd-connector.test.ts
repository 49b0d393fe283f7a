import { describe, expect, test } from 'vitest';
import { connectorModule } from './index.ts';
import { context, first, launchRequest, openEngine, openLxd, until } from './testing/lxd.ts';
import { testSocket, withLxd } from './testing/with-lxd.ts';

const limitMs = 120_000;

test(
  'three machines boot with cloud-init, call an engine at a loopback address, have addresses, and go',
  withLxd(async () => {
    await using lxd = await openLxd();
    await using home = await openEngine();
    const userData = [
      '#!/bin/sh',
      `{ hostname; id -u; cat /etc/machine-id; cloud-init query v1.instance_id; ls -d /run/systemd/system; } |`,
      `curl -s --data-binary @- ${home.url}/$(hostname)`,
    ].join('\n');
    const machines = await lxd.launch(userData, { count: 3, login: 'debian', cpus: 1, memoryMiB: 256 });
    expect(machines.map(({ id, index, state, login }) => ({ id, index, state, login }))).toEqual(
      [1, 2, 3].map((index) => ({ id: `server-${index}-${lxd.suffix}`, index, state: 'running', login: 'debian' })),
    );
    const said = (await Promise.all(machines.map(({ name }) => home.posted(`/${name}`)))).map((text) => text.trim().split('\n'));
    expect(said.map(([name]) => name)).toEqual(machines.map(({ name }) => name));
    expect(said.map(([, user, , , systemd]) => `${user} ${systemd}`)).toEqual(Array(3).fill('0 /run/systemd/system'));
    expect(new Set(said.map(([, , id]) => id)).size).toBe(3);

    const described = await lxd.connector.describe([...machines.map(({ id }) => id), 'server-9'], context);
    const addresses = [...described.values()].flatMap(({ privateIps }) => privateIps);
    expect([described.size, new Set(addresses).size]).toEqual([3, 3]);
    const listed = await lxd.list({ run: 'run-1' });
    expect(listed.map(({ machine }) => machine)).toEqual([...described.values()]);
    expect(await lxd.list({ run: 'run-2' })).toEqual([]);
    expect(await lxd.list({ engine: 'other' })).toEqual([]);

    const ids = [...machines.map(({ id }) => id), 'server-9'];
    expect(await lxd.connector.terminate(ids, context)).toEqual(ids.map((id) => ({ id, gone: true })));
    expect(await lxd.connector.terminate(ids, context)).toEqual(ids.map((id) => ({ id, gone: true })));
    expect(await lxd.list()).toEqual([]);
    expect(await lxd.instances()).toEqual([]);
  }),
  limitMs,
);

test(
  'a machine that is to have more memory than the host is refused before anything is made of it',
  withLxd(async () => {
    await using lxd = await openLxd();
    await expect(lxd.launch('#!/bin/sh\n', { count: 2, memoryMiB: 50_000_000 })).rejects.toMatchObject({
      code: 'capacity',
      message: expect.stringMatching(/^A machine is to have 50000000 MiB of memory, and the host of the server has \d+ MiB in all$/),
    });
    expect(await lxd.instances()).toEqual([]);
  }),
  limitMs,
);

test(
  'user data arrives as it is, also when it is long; a machine that switches itself off has stopped, and stays so',
  withLxd(async () => {
    await using lxd = await openLxd();
    await using home = await openEngine();
    const odd = `é {{ config_get("x") }} {% if %} & < ' " \\ $HOME`;
    const userData = [
      '#!/bin/sh',
      `head -c 100 "$0" >/dev/null; sed -n 4p /var/lib/cloud/instance/user-data.txt | curl -s --data-binary @- ${home.url}/odd`,
      `wc -c </var/lib/cloud/instance/user-data.txt | curl -s --data-binary @- ${home.url}/size; systemctl poweroff; exit`,
      `# ${odd}`,
      '#'.repeat(200_000),
    ].join('\n');
    const request = lxd.request(userData);
    const machine = first(await lxd.connector.launch(request, context));
    expect(await home.posted('/odd')).toBe(`# ${odd}\n`);
    expect(Number(await home.posted('/size')) - Buffer.byteLength(userData)).toBeLessThanOrEqual(1);
    await until('it stops', async () => (await lxd.describe(machine.id))?.state === 'stopped', 30_000);
    expect(await lxd.connector.launch(request, context)).toMatchObject([{ id: machine.id, state: 'stopped' }]);
    expect((await lxd.connector.consoleLog?.(machine.id, 0, context))?.text).toContain('cloud-init');
  }),
  limitMs,
);

test(
  'the console is read, in part as well',
  withLxd(async () => {
    await using lxd = await openLxd();
    const machine = await lxd.launchOne('#!/bin/sh\necho zwölf\n');
    const read = (since: number) => lxd.connector.consoleLog?.(machine.id, since, context);
    await until('it says so', async () => (await read(0))?.text.includes('zwölf'), 60_000);
    const whole = await read(0);
    const rest = await read(100);
    expect(whole?.text.endsWith(rest?.text ?? '?')).toBe(true);
    await expect(lxd.connector.consoleLog?.('server-9', 0, context)).rejects.toMatchObject({ code: 'notFound' });
  }),
  limitMs,
);

test(
  'the same launch again makes no second machine; another one may not take its name',
  withLxd(async () => {
    await using lxd = await openLxd();
    const request = lxd.request('#!/bin/sh\n');
    const [one, two] = await Promise.allSettled([lxd.connector.launch(request, context), lxd.connector.launch(request, context)]);
    expect([one.status, two.status]).toContain('fulfilled');
    expect(await lxd.connector.launch(request, context)).toMatchObject([{ id: `server-1-${lxd.suffix}`, state: 'running' }]);
    await expect(lxd.launch('#!/bin/sh\n')).rejects.toMatchObject({ code: 'conflict' });
    expect(await lxd.instances()).toEqual([`server-1-${lxd.suffix}`]);
  }),
  limitMs,
);

test(
  'of a batch that is over the limits of the project, what can be had is returned',
  withLxd(async () => {
    await using lxd = await openLxd({}, { 'limits.containers': '2' });
    const request = lxd.request('#!/bin/sh\n', { count: 3 });
    const launch = (from: number, to: number) => lxd.connector.launch({ ...request, machines: request.machines.slice(from, to) }, context);
    // The server counts late: of several that it is asked for at a time it may give one too many.
    expect(await launch(0, 2)).toHaveLength(2);
    await expect(launch(2, 3)).rejects.toMatchObject({ code: 'quota' });
    expect(await launch(0, 3)).toMatchObject([{ index: 1 }, { index: 2 }]);
    expect(await lxd.instances()).toHaveLength(2);
  }),
  limitMs,
);

test(
  'machines that are not ours are neither shown nor ended',
  withLxd(async () => {
    await using lxd = await openLxd();
    const body = { name: 'foreign', source: { type: 'none' } };
    await lxd.client.change('make another', 'POST', '/1.0/instances', { body, signal: context.signal });
    expect(await lxd.list()).toEqual([]);
    await expect(lxd.connector.terminate(['foreign'], context)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await lxd.instances()).toEqual(['foreign']);
    await lxd.client.change('remove it', 'DELETE', '/1.0/instances/foreign', { signal: context.signal });
  }),
  limitMs,
);

describe('what cannot be', () => {
  test(
    'is refused before anything is made',
    withLxd(async () => {
      await using lxd = await openLxd({ remotes: { images: { server: 'https://127.0.0.1:1' } } });
      const launch = (options: Parameters<typeof launchRequest>[1]) => lxd.connector.launch(launchRequest('', options), context);
      await expect(launch({ image: 'nowhere' })).rejects.toMatchObject({
        code: 'notFound',
        details: { hint: expect.stringContaining('lxc image list') },
      });
      await expect(launch({ image: 'f'.repeat(64) })).rejects.toMatchObject({ code: 'notFound' });
      await expect(launch({ image: 'elsewhere:debian/12' })).rejects.toMatchObject({ code: 'notFound' });
      await expect(launch({ image: 'images:debian/12' })).rejects.toMatchObject({ code: expect.stringMatching(/unavailable|internal/) });
      await expect(launch({ machines: [{ index: 1, name: '1', userData: new Uint8Array() }] })).rejects.toMatchObject({ code: 'invalid' });
      await expect(launch({ machines: [{ index: 1, name: 'a', userData: new Uint8Array(2 ** 20) }] })).rejects.toMatchObject({
        code: 'invalid',
      });
      const aborted = { ...context, signal: AbortSignal.abort() };
      await expect(lxd.connector.launch(launchRequest(''), aborted)).rejects.toMatchObject({ code: 'timeout' });
      expect(await lxd.instances()).toEqual([]);
    }),
    limitMs,
  );

  test(
    'a profile that is not there',
    withLxd(async () => {
      await using lxd = await openLxd({ profiles: ['default', 'nope'] });
      await expect(lxd.launch('')).rejects.toMatchObject({ code: 'notFound', message: expect.stringContaining('profile nope') });
      expect(await lxd.instances()).toEqual([]);
    }),
    limitMs,
  );
});

describe('probe', () => {
  const probe = (settings: Record<string, unknown>) => connectorModule.createConnector(settings).probe(context);

  test(
    'says what the server lacks, and what to do',
    withLxd(async () => {
      await expect(probe({ socket: testSocket, profiles: ['p'], pool: 'q', image: 'i' })).rejects.toMatchObject({
        code: 'notFound',
        message: expect.stringMatching(/there is no profile p; there is no storage pool q; there is no image i$/),
        details: { hint: expect.stringMatching(/lxc profile create p.*lxc storage create q/) },
      });
      await expect(probe({ socket: testSocket, project: 'p' })).rejects.toMatchObject({
        code: 'notFound',
        message: expect.stringContaining('project p'),
      });
      await expect(probe({ socket: testSocket, type: 'virtual-machine' })).rejects.toMatchObject({ code: 'unsupported' });
      expect(await probe({ socket: testSocket })).toMatchObject({ account: expect.stringMatching(/\/default$/) });
    }),
  );

  test('says when there is no server', async () => {
    await expect(probe({ socket: '/nowhere/unix.socket' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('/nowhere/unix.socket'),
      details: { hint: expect.stringContaining('installed and running') },
    });
  });

  test(
    'a project that is gone is not taken for an empty one',
    withLxd(async () => {
      const connector = connectorModule.createConnector({ socket: testSocket, project: 'gone' });
      await expect(connector.list({ engine: 'e' }, context)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'notFound' });
      await expect(connector.describe(['server-1'], context)).rejects.toMatchObject({ code: 'notFound' });
      await expect(connector.terminate(['server-1'], context)).rejects.toMatchObject({ code: 'notFound' });
    }),
  );
});

test.each([
  { socket: 'relative' },
  { url: 'http://lxd.example' },
  { url: 'https://lxd.example' },
  { socket: '/x', url: 'https://lxd.example', certificate: '/c', key: '/k' },
  { ca: '/a', serverCertificate: '/b' },
  { more: 1 },
])('a configuration such as %j is refused', (config) => {
  expect(() => connectorModule.createConnector(config)).toThrow('The configuration of an lxd cloud is wrong');
});
