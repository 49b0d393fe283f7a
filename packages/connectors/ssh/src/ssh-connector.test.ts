import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, engine, first, launchRequest, until } from '@paceline/connector-host/testing';
import type { Connector, LaunchRequest, Machine, OwnerQuery, Resource } from '@paceline/engine/connector';
import { keyPairOf } from '@paceline/engine/ssh';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectorModule } from './index.ts';
import { leaseId } from './lease.ts';
import { openHosts, ordinaryUser, ownFolder, whyNoHosts, type TestHosts } from './testing/hosts.ts';

const script = (...lines: string[]): string => ['#!/bin/sh', ...lines, ''].join('\n');

describe.skipIf(whyNoHosts !== undefined)(`hosts${whyNoHosts === undefined ? '' : ` (${whyNoHosts})`}`, () => {
  let room: TestHosts;
  beforeAll(async () => {
    room = await openHosts(3);
  });
  // What a test that failed has left would fail all the others.
  afterEach(async () => {
    for (const settings of [{}, { directory: '/var/tmp/paceline-test' }]) {
      const connector = open(settings);
      for (const owner of [engine, 'one', 'two']) {
        for (const { id } of await listed(connector, { engine: owner })) await connector.terminate([id], context);
      }
    }
  });
  afterAll(() => room[Symbol.asyncDispose]());

  const open = (settings?: Record<string, unknown>, ofHost?: Parameters<TestHosts['config']>[1]): Connector =>
    connectorModule.createConnector(room.config(settings, ofHost));

  describe.each([
    ['layer', 'root'],
    ['directory', 'root'],
    ['directory', ordinaryUser],
  ] as const)('with a %s, as %s', (isolation, user) => {
    const settings = { isolation, user };
    if (user !== 'root') Object.assign(settings, { directory: '/var/tmp/paceline-test' });

    test('run a machine, and are as they were when it is over', async () => {
      const connector = open(settings);
      const before = room.hosts.map((host) => ({ processes: host.processes(), files: host.files() }));
      const begin = [
        'echo hello from $(hostname)',
        'cd "${PACELINE_ROOT:-/root}" && echo text >file',
        isolation === 'layer' ? 'useradd intruder && echo more >>/etc/hosts && rm /etc/debian_version' : ':',
        // Each is out of the group, the session and the parents of what began it.
        'setsid sh -c "sleep 7777 & setsid sleep 7778 &" ; (sleep 7779 >/dev/null 2>&1 &)',
        // A daemon that has shed its environment, too.
        'env -i /bin/sh -c "cd /; /usr/bin/setsid /bin/sh -c \\"/bin/sleep 7780 & /usr/bin/setsid /bin/sleep 7781 &\\"" >/dev/null 2>&1',
        'echo is up',
      ];
      const machines = await connector.launch(launchRequest(script(...begin), { count: 3 }), context);
      expect(new Set(machines.map(({ id }) => id.split(':')[0])).size).toBe(3);
      expect(machines.map(({ index }) => index)).toEqual([1, 2, 3]);
      for (const machine of machines) await until('the script', async () => (await textOf(connector, machine)).includes('is up'));
      const described = await connector.describe(
        machines.map(({ id }) => id),
        context,
      );
      expect([...described.values()].map(({ state, login }) => ({ state, login }))).toEqual(
        machines.map(() => ({ state: 'running', login: user })),
      );
      for (const host of room.hosts)
        for (const sleep of [7777, 7778, 7779, 7780, 7781]) expect(host.processes().join('\n')).toContain(`sleep ${sleep}`);
      const results = await connector.terminate(
        machines.map(({ id }) => id),
        context,
      );
      expect(results.every(({ gone }) => gone)).toBe(true);
      expect(room.hosts.map((host) => ({ processes: host.processes(), files: host.files() }))).toEqual(before);
      expect(await listed(connector)).toEqual([]);
    });

    test('are given back at the end of life, with nobody there', async () => {
      const connector = open(settings);
      const before = room.hosts.map((host) => ({ processes: host.processes(), files: host.files() }));
      const request = launchRequest(script('sleep 8888 &', 'env -i /usr/bin/setsid /bin/sleep 8889 &'), {
        count: 1,
        expiresAt: new Date(Date.now() + 2000),
      });
      const machine = first(await connector.launch(request, context));
      const host = room.hosts.find(({ name }) => machine.id.startsWith(`${name}:`));
      await until(
        'the end',
        () => host?.processes().length === 0 && host.run(`ls -A ${ownFolder} /var/tmp | grep paceline || true`) === '',
        15_000,
      );
      expect(room.hosts.map((each) => ({ processes: each.processes(), files: each.files() }))).toEqual(before);
    });
  });

  test.each(['root', ordinaryUser])('end what %s began, also when nobody watches over it any more', async (user) => {
    const directory = user === 'root' ? `${ownFolder}/paceline` : '/var/tmp/paceline-test';
    const connector = open({ isolation: 'directory', user, directory });
    const machine = first(await connector.launch(launchRequest(script('env -i /usr/bin/setsid /bin/sleep 7782 &', 'echo is up')), context));
    const host = first(room.hosts.filter(({ name }) => machine.id.startsWith(`${name}:`)));
    await until('the script', async () => (await textOf(connector, machine)).includes('is up'));
    const lease = `${directory}/leases/${machine.id.split(':')[1]}`;
    // An ordinary user has no control group, so the keeper is what is known of its daemons.
    if (user === 'root') host.run(`kill -KILL -$(cut -d' ' -f1 ${lease}/keeper)`);
    expect((await connector.describe([machine.id], context)).get(machine.id)).toMatchObject({ state: 'running' });
    expect(await connector.terminate([machine.id], context)).toEqual([{ id: machine.id, gone: true }]);
    expect(host.processes()).toEqual([]);
    expect(host.run(`find /sys/fs/cgroup -name ${lease.split('/').at(-1)}`)).toBe('');
  });

  test('say which processes cannot be ended, and are given back when they are gone', async () => {
    const directory = '/var/tmp/paceline-test';
    const connector = open({ isolation: 'directory', user: ordinaryUser, directory });
    for (const host of room.hosts) host.run('cp /usr/bin/setpriv /opt/sudo && chmod 4755 /opt/sudo');
    const machine = first(await connector.launch(launchRequest(script('/opt/sudo --reuid 0 sleep 7783 &', 'echo is up')), context));
    const host = first(room.hosts.filter(({ name }) => machine.id.startsWith(`${name}:`)));
    try {
      await until('the process of root', () => host.processes().some((line) => line.includes('sleep 7783')));
      await expect(connector.terminate([machine.id], context)).rejects.toThrow(/processes of .* cannot be ended: \d+/);
      expect(await listed(connector)).toMatchObject([{ id: machine.id, machine: { state: 'stopping' } }]);
      // At its end of life it takes its slot, and no more.
      host.run(`echo 1 >${directory}/leases/${machine.id.split(':')[1]}/expires`);
      const others = await connector.launch(launchRequest(script('sleep 9999'), { count: 2 }), context);
      expect(others.map(({ id }) => id.split(':')[0])).not.toContain(host.name);
      await expect(connector.launch(launchRequest(script('sleep 9999')), context)).rejects.toMatchObject({ code: 'capacity' });
      for (const { id } of others) await connector.terminate([id], context);
    } finally {
      for (const each of room.hosts) each.run('rm /opt/sudo; pkill -f "[s]leep 7783" || true');
    }
    expect(await connector.terminate([machine.id], context)).toEqual([{ id: machine.id, gone: true }]);
    expect(host.processes()).toEqual([]);
  });

  test('have a console that is never cut within a character, and begins anew when it was emptied', async () => {
    const connector = open({ isolation: 'directory' });
    const machine = first(await connector.launch(launchRequest(script('printf "a\\303"')), context));
    const read = (since: number) => connector.consoleLog?.(machine.id, since, context);
    const log = `${ownFolder}/paceline/leases/${machine.id.split(':')[1]}/console.log`;
    const host = room.hosts.find(({ name }) => machine.id.startsWith(`${name}:`));
    await until('the script', () => host?.run(`cat ${log} 2>/dev/null | wc -c`) === '2\n');
    expect(await read(0)).toEqual({ text: 'a', next: 1 });
    host?.run(`printf '\\274\\n' >>${log}`);
    expect(await read(1)).toEqual({ text: 'ü\n', next: 4 });
    host?.run(`echo b >${log}`);
    expect(await read(4)).toEqual({ text: 'b\n', next: 2 });
    expect(await read(2)).toEqual({ text: '', next: 2 });
    await connector.terminate([machine.id], context);
  });

  test('keep what a script has mounted in its machine', async () => {
    const connector = open({ isolation: 'directory' });
    const begin = ['mkdir "/srv/data of 100%" && echo text >"/srv/data of 100%/precious"', 'mkdir "$PACELINE_ROOT/back up 5%"'];
    // The tmpfs is over the other, which is of the same file system as the lease.
    begin.push('mount --bind "/srv/data of 100%" "$PACELINE_ROOT/back up 5%"', 'mount -t tmpfs tmpfs "$PACELINE_ROOT/back up 5%"');
    const machine = first(await connector.launch(launchRequest(script(...begin, 'echo is up')), context));
    const host = room.hosts.find(({ name }) => machine.id.startsWith(`${name}:`));
    await until('the script', async () => (await textOf(connector, machine)).includes('is up'));
    expect(host?.run('grep -c back /proc/self/mountinfo')).toBe('2\n');
    expect(await connector.terminate([machine.id], context)).toEqual([{ id: machine.id, gone: true }]);
    expect(host?.run('grep -c back /proc/self/mountinfo || true; cat "/srv/data of 100%/precious"; rm -r /srv/data*; ls /srv')).toBe(
      '0\ntext\n',
    );
  });

  test('say what stays mounted, and delete nothing of it', async () => {
    await using one = await openHosts(1);
    const connector = connectorModule.createConnector(one.config({ isolation: 'directory' }));
    const begin = ['mkdir "$PACELINE_ROOT/m" /srv/data && echo text >/srv/data/precious', 'mount --bind /srv/data "$PACELINE_ROOT/m"'];
    const machine = first(await connector.launch(launchRequest(script(...begin, 'echo is up')), context));
    const [host] = one.hosts;
    await until('the script', async () => (await textOf(connector, machine)).includes('is up'));
    host?.run('mount --bind /bin/false /bin/umount');
    await expect(connector.terminate([machine.id], context)).rejects.toThrow(/cannot be removed: unmount .*\/machine\/m$/);
    expect(host?.run('cat /srv/data/precious')).toBe('text\n');
    expect(await listed(connector)).toMatchObject([{ id: machine.id, machine: { state: 'stopping' } }]);
  });

  test('are taken by one of two engines, never by both', async () => {
    const [one, two] = [open(), open()];
    const ask = (connector: Connector, owner: string) =>
      Array.from({ length: 3 }, () =>
        connector.launch(launchRequest(script('sleep 9999'), { owner: { engine: owner, run: 'r', node: 'n' } }), context),
      );
    const results = await Promise.allSettled([...ask(one, 'one'), ...ask(two, 'two')]);
    const machines = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    expect(machines).toHaveLength(3);
    expect(new Set(machines.map(({ id }) => id.split(':')[0])).size).toBe(3);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
    for (const error of refused) expect(error).toMatchObject({ code: 'capacity', message: expect.stringContaining('taken') });
    const all = [...(await listed(one, { engine: 'one' })), ...(await listed(two, { engine: 'two' }))];
    expect(all.map(({ id }) => id).toSorted()).toEqual(machines.map(({ id }) => id).toSorted());
    await one.terminate(
      machines.map(({ id }) => id),
      context,
    );
  });

  test('are not taken in part, and a launch that is repeated finds what it has', async () => {
    const connector = open();
    await expect(connector.launch(launchRequest(script('sleep 9999'), { count: 4 }), context)).rejects.toMatchObject({
      code: 'capacity',
      message: expect.stringContaining('Hosts needed: 4, to be had: 3. 3 of 3 hosts fit'),
    });
    expect(await listed(connector)).toEqual([]);
    const request = launchRequest(script('sleep 9999'), { count: 2 });
    const ids = (await connector.launch(request, context)).map(({ id }) => id);
    expect((await connector.launch(request, context)).map(({ id }) => id)).toEqual(ids);
    expect((await listed(connector, { token: request.token })).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    await connector.terminate(ids, context);
  });

  test('are given back when another host of the launch is broken', async () => {
    const [, broken] = room.hosts;
    const connector = open();
    broken?.run('mount --bind /bin/false /usr/bin/flock');
    try {
      await expect(connector.launch(launchRequest(script('sleep 9999'), { count: 3 }), context)).rejects.toMatchObject({
        code: 'internal',
        message: expect.stringContaining('The host host-2 could not do what it was asked (take): another engine has held the lock'),
      });
      expect(await listed(connector)).toEqual([]);
    } finally {
      broken?.run('umount /usr/bin/flock');
    }
  });

  test('are given back when nobody waits for the launch any more', async () => {
    const slow = room.hosts[1];
    const connector = open();
    slow?.run('printf "#!/bin/sh\nexec sleep 7784\n" >/opt/flock && chmod 755 /opt/flock && mount --bind /opt/flock /usr/bin/flock');
    const gaveUp = new AbortController();
    try {
      const launch = connector.launch(launchRequest(script('sleep 9999'), { count: 3 }), { ...context, signal: gaveUp.signal });
      void until('two hosts', async () => (await listed(connector)).length === 2, 30_000).then(() => gaveUp.abort());
      await expect(launch).rejects.toMatchObject({ code: 'timeout' });
      expect(await listed(connector)).toEqual([]);
    } finally {
      slow?.run('pkill -f "[s]leep 7784" || true; umount /usr/bin/flock; rm /opt/flock');
    }
  });

  test('that the clouds file does not have any more are in doubt until the end of life of what they had', async () => {
    const warnings: string[] = [];
    let now = Date.now();
    const watched = { ...context, now: () => now, log: { info: () => {}, warn: (text: string) => warnings.push(text) } };
    const machines = (await open().launch(launchRequest(script('sleep 9999'), { count: 3 }), context)).map(({ id }) => id);
    const [lost = ''] = machines.filter((id) => id.startsWith('host-1:'));
    const { hosts, ...rest } = room.config();
    const others = Object.fromEntries(Object.entries(hosts as Record<string, unknown>).filter(([name]) => name !== 'host-1'));
    const connector = connectorModule.createConnector({ ...rest, hosts: others });
    const inDoubt = { code: 'unavailable', message: 'The host host-1 is not in the clouds file any more, so nobody knows what is on it' };
    await expect(connector.describe(machines, watched)).rejects.toMatchObject(inDoubt);
    await expect(connector.wayIn?.(lost, watched)).rejects.toMatchObject(inDoubt);
    expect(warnings).toEqual([inDoubt.message]);
    now += 11 * 60_000;
    expect((await connector.describe([lost], watched)).get(lost)).toMatchObject({ state: 'error', fault: inDoubt.message });
    expect(await connector.terminate(machines, watched)).toEqual(machines.map((id) => ({ id, gone: id !== lost })));
    await expect(connector.terminate([lost], watched)).rejects.toMatchObject(inDoubt);
    now += 3_600_000;
    expect(await connector.terminate([lost], watched)).toEqual([{ id: lost, gone: true }]);
    expect(await connector.describe([lost], watched)).toEqual(new Map());
    expect((await listed(open())).map(({ id }) => id)).toEqual([lost]);
    expect(await open().terminate([lost], context)).toEqual([{ id: lost, gone: true }]);
  });

  test('are chosen by labels and by what they have, and shared where that is allowed', async () => {
    const connector = open({}, (_host, at) => ({ labels: [`rack=${at % 2}`, 'all'], cpus: at + 1, slots: 2 }));
    const launch = (options: Partial<LaunchRequest> & { count?: number }) =>
      connector.launch(launchRequest(script('sleep 9999'), options), context);
    const hosts = async (machines: Promise<Machine[]>): Promise<string[]> => {
      const found = await machines;
      await connector.terminate(
        found.map(({ id }) => id),
        context,
      );
      return found.map(({ id }) => id.split(':')[0] ?? '').toSorted();
    };
    expect(await hosts(launch({ image: 'rack=1, all', count: 2 }))).toEqual(['host-2', 'host-2']);
    expect(await hosts(launch({ cpus: 3 }))).toEqual(['host-3']);
    await expect(launch({ image: 'gpu' })).rejects.toMatchObject({ code: 'invalid', message: 'No host of this cloud has the label gpu' });
    await expect(launch({ image: 'rack=1', count: 3 })).rejects.toThrow('Hosts needed with rack=1: 3');
  });

  test('are refused with another host key, by name and with what to do', async () => {
    const other = keyPairOf(Buffer.alloc(32)).publicKey;
    const connector = open({}, () => ({ hostKey: other }));
    await expect(connector.probe(context)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/^The host host-1 is refused: .* shows a ssh-ed25519 key with the fingerprint SHA256:/),
      details: { hint: expect.stringContaining('hostKey') },
    });
    await expect(connector.launch(launchRequest(script('true')), context)).rejects.toThrow('is refused');
    const stranger = join(mkdtempSync(join(tmpdir(), 'paceline-key-')), 'none');
    await expect(open({ identity: stranger }).probe(context)).rejects.toMatchObject({ code: 'auth' });
  });

  test('that do not answer get no machines, and are reported once', async () => {
    const warnings: string[] = [];
    let now = Date.now();
    const watched = {
      ...context,
      now: () => now,
      log: { info: (text: string) => warnings.push(text), warn: (text: string) => warnings.push(text) },
    };
    const connector = open({}, (_host, at) => (at === 0 ? { port: 1 } : {}));
    expect(await connector.probe(watched)).toEqual({ account: '2 of 3 hosts', regions: ['host-2', 'host-3'] });
    const machines = await connector.launch(launchRequest(script('sleep 9999'), { count: 2 }), watched);
    expect(machines.map(({ id }) => id.split(':')[0] ?? '').toSorted()).toEqual(['host-2', 'host-3']);
    expect(warnings).toEqual([
      expect.stringMatching(/^The host host-1 does not answer: .*ECONNREFUSED.*; it gets no machines until it does$/),
    ]);
    // Nobody knows what it has.
    await expect(listed(connector, {}, watched)).rejects.toMatchObject({ code: 'unavailable' });
    const onSilent = `host-1:${'0'.repeat(16)}:${Math.ceil(now / 1000) + 3600}`;
    expect(await connector.terminate([onSilent], watched)).toEqual([{ id: onSilent, gone: false }]);
    await expect(connector.describe([onSilent], watched)).rejects.toMatchObject({ code: 'unavailable' });
    now += 11 * 60_000;
    expect((await connector.describe([onSilent], watched)).get(onSilent)).toMatchObject({
      state: 'error',
      fault: expect.stringContaining('has not answered since'),
    });
    expect(await listed(connector, {}, watched)).toHaveLength(2);
    now += 3_600_000;
    expect(await connector.terminate([onSilent], watched)).toEqual([{ id: onSilent, gone: true }]);
    await connector.terminate(
      machines.map(({ id }) => id),
      context,
    );
  });

  test('that do not answer hold up only those who may have something there', async () => {
    const connector = open();
    const launch = async (run: string): Promise<{ id: string; host: TestHosts['hosts'][number] }> => {
      const request = launchRequest(script('sleep 9999'), { owner: { engine, run, node: 'n' } });
      const { id } = first(await connector.launch(request, context));
      return { id, host: first(room.hosts.filter(({ name }) => id.startsWith(`${name}:`))) };
    };
    const [one, two] = [await launch('r1'), await launch('r2')];
    const silent = room.hosts.filter((host) => host !== one.host);
    await Promise.all(silent.map((host) => host.restartSsh('another')));
    try {
      expect((await listed(connector, { run: 'r1' })).map(({ id }) => id)).toEqual([one.id]);
      await expect(listed(connector, { run: 'r2' })).rejects.toMatchObject({ code: 'forbidden' });
      await expect(listed(connector)).rejects.toMatchObject({ code: 'forbidden' });
      // One that has begun just now knows nothing of them.
      await expect(listed(open(), { run: 'r1' })).rejects.toMatchObject({ code: 'forbidden' });
    } finally {
      await Promise.all(silent.map((host) => host.restartSsh('own')));
    }
    expect((await listed(connector, { run: 'r2' })).map(({ id }) => id)).toEqual([two.id]);
    await connector.terminate([one.id, two.id], context);
    expect(await listed(connector)).toEqual([]);
    await two.host.restartSsh('another');
    try {
      expect(await listed(connector)).toEqual([]);
    } finally {
      await two.host.restartSsh('own');
    }
  });

  test('that were restarted have lost their machine, and take the next one', async () => {
    await using one = await openHosts(1);
    const connector = connectorModule.createConnector(one.config());
    const machine = first(await connector.launch(launchRequest(script('sleep 9999')), context));
    const [host] = one.hosts;
    // As after a restart: what is on its disk says which boot it is of.
    host?.run(`echo another >${ownFolder}/paceline/leases/${machine.id.split(':')[1]}/boot`);
    expect((await connector.describe([machine.id], context)).get(machine.id)).toMatchObject({
      state: 'stopped',
      fault: expect.stringContaining('restarted'),
    });
    const next = first(await connector.launch(launchRequest(script('sleep 9998')), context));
    expect((await listed(connector)).map(({ id }) => id)).toEqual([next.id]);
    await connector.terminate([next.id], context);
  });
});

test('directories leave room for the path of a socket', () => {
  const hosts = { a: { host: 'a', hostKey: keyPairOf(Buffer.alloc(32)).publicKey } };
  const open = (directory: string) => connectorModule.createConnector({ hosts, directory });
  const request = launchRequest('');
  const socket = `/leases/${leaseId(request, first(request.machines))}/tunnel/engine`;
  const longest = `/${'x'.repeat(107 - socket.length - 1)}`;
  expect(() => open(longest)).not.toThrow();
  expect(() => open(`${longest}x`)).toThrow('must have at most 69 bytes');
});

test('passwords have no place in the configuration', () => {
  const hosts = { a: { host: 'a', hostKey: keyPairOf(Buffer.alloc(32)).publicKey } };
  expect(() => connectorModule.createConnector({ hosts, password: 'x' })).toThrow('password');
  expect(() => connectorModule.createConnector({ hosts: { a: { ...hosts.a, hostKey: 'any' } } })).toThrow('must be a public key');
  expect(readFileSync(new URL('./config.ts', import.meta.url), 'utf8')).not.toMatch(/password:/);
});

async function listed(connector: Connector, query: Partial<OwnerQuery> = {}, with_ = context): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const resource of connector.list({ engine, ...query }, with_)) found.push(resource);
  return found;
}

async function textOf(connector: Connector, { id }: Machine): Promise<string> {
  return (await connector.consoleLog?.(id, 0, context))?.text ?? '';
}
