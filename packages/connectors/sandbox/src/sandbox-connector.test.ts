import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectorModule } from './index.ts';
import { context, engine, first, launchRequest, openEngine, openSandbox, testImage, tracesOf, until } from './testing/sandbox.ts';
import { withMachines } from './testing/with-machines.ts';

const nothing = { processes: [], interfaces: [] };

test(
  'a machine boots with cloud-init, calls its engine, and goes without a trace',
  withMachines(async () => {
    await using sandbox = await openSandbox({ network: '10.88.0.0/16' });
    await using home = await openEngine();
    const machine = await sandbox.launchOne(
      [
        '#!/bin/sh',
        `say() { printf '%s %s\\n' "$1" "$(eval "$2" 2>&1)"; }`,
        `{ say name hostname; say address 'hostname -I'; say id 'cat /etc/machine-id'; say user 'id -un'; say init 'cat /proc/1/comm'`,
        `say cloud-init 'cloud-init query v1.instance_id'; say proxy 'echo $http_proxy'; } |`,
        `curl -s --data-binary @- ${home.url}/up`,
      ].join('\n'),
    );
    expect(machine).toMatchObject({ index: 1, name: 'server-1', publicIps: [], privateIps: [expect.stringMatching(/^10\.88\./)] });
    const said = Object.fromEntries((await home.posted('/up')).split('\n').map((line) => line.split(/ (.*)/)));
    expect(said).toMatchObject({
      name: 'server-1',
      address: `${first(machine.privateIps)} `,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      user: 'root',
      init: 'sh',
      'cloud-init': machine.id,
    });
    expect(await sandbox.describe(machine.id)).toEqual({ ...machine, state: 'running' });
    expect((await tracesOf(sandbox)).processes).not.toEqual([]);

    expect(await sandbox.connector.terminate([machine.id], context)).toEqual([{ id: machine.id, gone: true }]);
    expect(await tracesOf(sandbox)).toEqual(nothing);
    expect(await sandbox.describe(machine.id)).toBeUndefined();
    expect(await sandbox.list()).toEqual([]);
    expect(await readdir(join(sandbox.config.root, 'runs'))).toEqual([]);
    expect(await readdir(join(sandbox.config.root, 'staging'))).toEqual([]);
  }),
  60_000,
);

test(
  'machines of a run reach each other, are different, and are reached from the host by root',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const serve = [
      '#!/bin/sh',
      'mkdir /tmp/www; cd /tmp/www',
      '{ hostname; cat /etc/machine-id; cat /etc/ssh/ssh_host_ed25519_key.pub; } 2>/dev/null >me',
      `setsid python3 -m http.server 80 </dev/null >/dev/null 2>&1 &`,
      'until curl -s -o /dev/null 127.0.0.1; do sleep 0.05; done',
      `curl -s -d up ${home.url}/$(hostname)`,
    ].join('\n');
    const servers = await sandbox.launch(serve, { count: 2 });
    await Promise.all(servers.map(({ name }) => home.posted(`/${name}`)));

    const addresses = servers.flatMap(({ privateIps }) => privateIps);
    await sandbox.launchOne(
      `#!/bin/sh\nfor a in ${addresses.join(' ')}; do curl -s $a/me | curl -s --data-binary @- ${home.url}/of/$a; done\n`,
      {
        owner: { engine, run: 'run-1', node: 'client' },
      },
    );
    const [one, two] = await Promise.all(addresses.map((address) => home.posted(`/of/${address}`)));
    expect([one, two].map((text) => text?.split('\n')[0])).toEqual(['server-1', 'server-2']);
    const lines = [one, two].map((text) => text?.split('\n').slice(1).filter(Boolean) ?? []);
    expect(new Set(lines.flat()).size).toBe(lines.flat().length);
    if (process.getuid?.() === 0) {
      expect(await (await fetch(`http://${addresses[1]}/me`)).text()).toBe(two);
    }
  }),
  60_000,
);

test(
  'cloud-config is understood, and the console is read piece by piece',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const machine = await sandbox.launchOne(
      [
        '#cloud-config',
        'write_files:',
        `  - { path: /opt/say, permissions: '0755', content: "#!/bin/sh\\necho zwölf\\ncurl -s --data-binary @/proc/sys/kernel/hostname ${home.url}/said\\n" }`,
        'runcmd: [[/opt/say]]',
      ].join('\n'),
    );
    expect(await home.posted('/said')).toBe('server-1\n');
    let text = '';
    await until('the console says it', async () => {
      const piece = await sandbox.connector.consoleLog?.(machine.id, Buffer.byteLength(text), context);
      text += piece?.text ?? '';
      return text.includes('zwölf');
    });
    expect(text).toContain("running 'modules:final'");
    await expect(sandbox.connector.consoleLog?.(machine.id.replace(/.$/, 'x'), 0, context)).rejects.toMatchObject({ code: 'notFound' });
  }),
  60_000,
);

const mayTunnel = await access('/dev/net/tun', constants.R_OK | constants.W_OK).then(
  () => true,
  () => false,
);
const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

test(
  'machines reach the world outside, through addresses of the host that are not its loopback ones',
  withMachines(
    async () => {
      await using sandbox = await openSandbox();
      await using home = await openEngine(outside);
      await using other = await openEngine();
      const machine = await sandbox.launchOne(
        `#!/bin/sh\n{ curl -sm 5 $(printf %s '${other.url}' | sed s/127.0.0.1/$(ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p')/) || echo closed; } | curl -s --data-binary @- ${home.url}/up\n`,
      );
      // The router of the machines does not lead to services that only this host is to see.
      expect(await home.posted('/up')).toBe('closed\n');
      expect(machine.privateIps).toHaveLength(1);
    },
    outside === undefined || !existsSync('/usr/bin/slirp4netns') || !mayTunnel
      ? 'this host has no slirp4netns, no address or no /dev/net/tun for us'
      : undefined,
  ),
  60_000,
);

test(
  'user data that fails is an error with its reason',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    const machine = await sandbox.launchOne('#!/bin/sh\necho "no such package: wgte" >&2\nexit 3\n');
    const failed = await until('the failure shows', async () => (await sandbox.describe(machine.id))?.fault, 50_000);
    expect(failed).toContain('the user data failed');
    expect((await sandbox.describe(machine.id))?.state).toBe('error');
    expect((await sandbox.connector.consoleLog?.(machine.id, 0, context))?.text).toContain('no such package: wgte');
  }),
  60_000,
);

test(
  'a machine that switches itself off has stopped',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    const machine = await sandbox.launchOne('#!/bin/sh\nshutdown -P now\nsleep 100\n');
    const stopped = await until(
      'it stops',
      async () => {
        const seen = await sandbox.describe(machine.id);
        return seen?.state === 'stopped' && seen;
      },
      50_000,
    );
    expect(stopped.fault).toBe('it was switched off from inside');
    await until('its supervisor goes home', async () => (await tracesOf(sandbox)).processes.length === 0);
  }),
  60_000,
);

test(
  "a machine of the host's files does not see secrets, and cannot change the host",
  withMachines(async () => {
    if (testImage !== '') return;
    await using sandbox = await openSandbox({ hide: ['/etc/services'] });
    await using home = await openEngine();
    await sandbox.launchOne(
      [
        '#!/bin/sh',
        `{ cat /etc/shadow | cut -d: -f2 | sort -u; ls -A /root /home; ls '${sandbox.config.root}' /etc/services 2>&1 | grep -c 'No such'`,
        `sysctl -qw kernel.panic=77 2>/dev/null || echo refused; sysctl -qw net.ipv4.ip_forward=1 && echo own; touch /etc/from-the-machine; } |`,
        `curl -s --data-binary @- ${home.url}/seen`,
      ].join('\n'),
    );
    expect(
      (await home.posted('/seen')).split('\n').filter((line) => !['*', '/root:', '/home:', '', '.ssh', '.cache', '!'].includes(line)),
    ).toEqual(['debian', '2', 'refused', 'own']);
    expect(await readdir('/etc')).not.toContain('from-the-machine');
  }),
  60_000,
);

test(
  'limits are kept where control groups can be made',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const machine = await sandbox.launchOne(`#!/bin/sh\ncurl -s --data-binary @/proc/1/cgroup ${home.url}/groups\n`, {
      cpus: 0.5,
      memoryMiB: 300,
    });
    await home.posted('/groups');
    const limitsNow = (): string =>
      String(
        execFileSync('sh', [
          '-c',
          `cd /sys/fs/cgroup; for f in paceline/*/memory.max memory/paceline/*/memory.limit_in_bytes paceline/*/cpu.max cpu/paceline/*/cpu.cfs_quota_us; do
      case $f in *${machine.id}*) cat "$f";; esac; done`,
        ]),
      );
    const resize = (size: { cpus?: number; memoryMiB?: number }) => sandbox.connector.resize?.(machine.id, size, context);
    if (process.getuid?.() === 0) {
      expect(limitsNow()).toMatch(/^314572800\n50000/);
      await resize({ memoryMiB: 400 });
      expect(limitsNow()).toMatch(/^419430400\n50000/);
      await resize({ cpus: 1.5, memoryMiB: 500 });
      expect(limitsNow()).toMatch(/^524288000\n150000/);
      const free = await sandbox.launchOne('#!/bin/sh\n');
      await expect(sandbox.connector.resize?.(free.id, { cpus: 1 }, context)).rejects.toMatchObject({ code: 'unsupported' });
    } else {
      await expect(resize({ cpus: 1 })).rejects.toMatchObject({ code: 'unsupported' });
    }
    const nobody = `sandbox-${'0'.repeat(16)}-${'1'.repeat(16)}`;
    await expect(sandbox.connector.resize?.(nobody, { cpus: 1 }, context)).rejects.toMatchObject({ code: 'notFound' });
    await sandbox.connector.terminate([machine.id], context);
    expect(String(execFileSync('find', ['/sys/fs/cgroup', '-name', machine.id]))).toBe('');
  }),
  60_000,
);

describe('what cannot be', () => {
  test('is refused before anything is made', async () => {
    await using sandbox = await openSandbox();
    const launch = (options: Parameters<typeof launchRequest>[1]) =>
      sandbox.connector.launch(launchRequest('#!/bin/sh\n', options), context);
    await expect(launch({ image: 'nowhere' })).rejects.toMatchObject({
      code: 'notFound',
      details: { hint: expect.stringContaining('nothing') },
    });
    await expect(launch({ image: '../etc' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(launch({ machines: [{ index: 1, name: 'a b', userData: new Uint8Array() }] })).rejects.toMatchObject({ code: 'invalid' });
    const long = { index: 1, name: 'a', userData: new Uint8Array(2 ** 21) };
    await expect(launch({ machines: [long] })).rejects.toMatchObject({ code: 'invalid' });
    const aborted = { ...context, signal: AbortSignal.abort() };
    await expect(sandbox.connector.launch(launchRequest(''), aborted)).rejects.toMatchObject({ code: 'timeout' });
    expect(await sandbox.list()).toEqual([]);
  });

  test('terminating what is not there succeeds', async () => {
    await using sandbox = await openSandbox();
    const ids = [`sandbox-${'0'.repeat(16)}-${'1'.repeat(16)}`, '../../etc'];
    expect(await sandbox.connector.terminate(ids, context)).toEqual(ids.map((id) => ({ id, gone: true })));
    expect(await sandbox.connector.describe(ids, context)).toEqual(new Map());
  });

  test.each([
    { root: 'relative' },
    { root: '/a,b' },
    { root: '/x', network: '10.0.0.0/24' },
    { root: '/x', network: 'here' },
    { root: '/x', more: 1 },
  ])('a configuration such as %j is refused', (config) => {
    expect(() => connectorModule.createConnector(config)).toThrow('The configuration of a sandbox cloud is wrong');
  });
});
