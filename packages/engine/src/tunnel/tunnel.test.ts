import { spawnSync } from 'node:child_process';
import { createServer, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { decideJoin } from '../agents/join.ts';
import { joinSecret } from '../bootstrap/secrets.ts';
import { maxUserDataBytes, renderUserData } from '../bootstrap/user-data.ts';
import { systemClock } from '../clock.ts';
import { keyPairOf } from '../ssh/key-pair.ts';
import { openSession } from '../ssh/session.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { openRoute, openSshServer, whyNoSshServer } from '../testing/ssh-server.ts';
import { takeTunnel, tunnelSocket } from './holder.ts';
import { hostKeysOf, tunnelKeys } from './tunnel-keys.ts';
import { tunnelSetup } from './tunnel-setup.ts';
import { Tunnel, type TunnelTarget } from './tunnel.ts';
import { turns } from '../ssh/turns.ts';

const keys = tunnelKeys(Buffer.alloc(32, 1), { run: 'r', instance: 'web.1', token: 't' });
const setup = { hostKey: keys.host.privateKey, clientKey: keys.client.publicKey };

describe('the keys of a tunnel', () => {
  test('are the same whenever they are needed, and of one machine alone', () => {
    const of = (instance: string, seed = 1) => tunnelKeys(Buffer.alloc(32, seed), { run: 'r', instance, token: 't' });
    expect(of('web.1')).toEqual(keys);
    expect(of('web.2').host).not.toEqual(keys.host);
    expect(of('web.2').client).toEqual(keys.client);
    expect(of('web.1', 2).client).not.toEqual(keys.client);
    expect(new Set([keys.host, keys.lastingHost, keys.client].map(({ publicKey }) => publicKey)).size).toBe(3);
  });
});

test('the host key of the user data is good until the agent says that it has taken the other, whatever it said before', () => {
  const test = new TestRun(planOf({ n: nodeOf() }));
  test.boot('n.1');
  const instance = test.instance('n.1');
  const made = tunnelKeys(Buffer.alloc(32), { run: test.run.id, instance: 'n.1', token: instance.machine.token });
  const known = (): string[] => hostKeysOf(Buffer.alloc(32), test.run.id, instance);
  expect(known()).toEqual([made.lastingHost.publicKey, made.host.publicKey]);
  const join = (more: { tookHostKey?: true } = {}): void => {
    const secret = joinSecret(Buffer.alloc(32), test.run.id, 'n.1', instance.machine.token);
    const request = { run: test.run.id, instance: 'n.1', secret, keyHash: 'k', agentVersion: '', nodeVersion: '', bootId: '', ...more };
    test.apply(decideJoin(test.run, instance, request, Buffer.alloc(32), test.now).changes);
  };
  join();
  instance.lastOp = 1;
  join();
  expect(known()).toEqual([made.lastingHost.publicKey, made.host.publicKey]);
  join({ tookHostKey: true });
  join();
  expect(known()).toEqual([made.lastingHost.publicKey]);
});

describe('the user data of a machine behind a tunnel', () => {
  const bytes = renderUserData({
    runtime: { machine: 'x86_64', sha256: 'b'.repeat(64) },
    url: 'http://engine.invalid',
    agentSha256: 'a'.repeat(64),
    run: 'a1b2c3d4-0000-4000-8000-000000000000',
    machine: { instance: `${'a'.repeat(255)}.10000`, secret: 'x'.repeat(43) },
    expiresAt: new Date(0),
    tunnel: setup,
  });

  test('has room for its keys, and for the longest name', () => {
    expect(bytes.length).toBeLessThan(maxUserDataBytes);
  });

  test('is correct shell', () => {
    for (const input of [tunnelSetup(setup), takeTunnel('/x')]) expect(spawnSync('sh', ['-n'], { input })).toMatchObject({ status: 0 });
  });
});

test('turns are taken in order, so many at a time', async () => {
  const inTurn = turns(2);
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = gates.map(({ promise }, at) =>
    inTurn(async () => {
      begun.push(at);
      await promise;
    }),
  );
  await vi.waitFor(() => expect(begun).toEqual([0, 1]));
  gates[1]?.reject(new Error('lost'));
  await expect(all[1]).rejects.toThrow('lost');
  await vi.waitFor(() => expect(begun).toEqual([0, 1, 2]));
  for (const { resolve } of gates) resolve();
  await Promise.allSettled(all);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

describe.skipIf(whyNoSshServer !== undefined)(
  `a tunnel through OpenSSH${whyNoSshServer === undefined ? '' : ` (${whyNoSshServer})`}`,
  () => {
    test('comes back after a cut, although the machine has not heard of it', async () => {
      await using server = await openSshServer();
      await using route = await openRoute(server.access.port);
      const { access, folder } = server;
      const socket = tunnelSocket(folder);
      await using tunnel = open({ access: () => Promise.resolve({ ...access, folder, port: route.port }) });
      await vi.waitFor(async () => expect(await ask(socket)).toBe('home'), 10_000);
      for (let cuts = 1; cuts <= 2; cuts++) {
        route.cut();
        await vi.waitFor(() => expect(tunnel.it.isUp).toBe(false));
        // The socket is still there: nobody has told the machine.
        await expect(ask(socket)).rejects.toThrow('no answer');
        route.mend();
        await vi.waitFor(async () => expect(await ask(socket)).toBe('home'), 20_000);
      }
      expect(tunnel.failures.length).toBeGreaterThanOrEqual(2);
    });

    test('is given up at once when it is closed', async () => {
      await using server = await openSshServer();
      const { access, folder } = server;
      const tunnel = open({ access: () => Promise.resolve({ ...access, folder }) });
      await vi.waitFor(() => expect(tunnel.it.isUp).toBe(true), 10_000);
      tunnel.it.close();
      await vi.waitFor(() => expect(ask(tunnelSocket(folder))).rejects.toThrow('ECONNREFUSED'));
      expect(tunnel.failures).toEqual([]);
    });

    test('is refused by a machine with another host key, for as long as it has that', async () => {
      await using server = await openSshServer();
      let { hostKeys } = { hostKeys: [keyPairOf(Buffer.alloc(32)).publicKey] as readonly string[] };
      await using tunnel = open({ access: () => Promise.resolve({ ...server.access, hostKeys, folder: server.folder }) });
      await vi.waitFor(() => expect(tunnel.failures).toHaveLength(2), 10_000);
      expect(tunnel.failures[0]).toContain('is not the one it should be');
      expect(tunnel.it.isUp).toBe(false);
      ({ hostKeys } = server.access);
      await vi.waitFor(() => expect(tunnel.it.isUp).toBe(true), 10_000);
    });

    test('says what is wrong with the folder that it should be in', async () => {
      await using server = await openSshServer();
      const folder = `${server.folder}/none`;
      await using tunnel = open({ access: () => Promise.resolve({ ...server.access, folder }) });
      await vi.waitFor(() => expect(tunnel.failures[0]).toMatch(/^There can be no tunnel in .*\/none \(exit code \d+\): ./), 10_000);
    });

    test('needs no more than the key of the engine is let in for', async () => {
      const line = (key: string): string => tunnelSetup({ ...setup, clientKey: key }).match(/restrict[^']*/)?.[0] ?? '';
      await using server = await openSshServer(line);
      const { access, folder } = server;
      await using tunnel = open({ access: () => Promise.resolve({ ...access, folder }) });
      await vi.waitFor(async () => expect(await ask(tunnelSocket(folder))).toBe('home'), 10_000);
      expect(line('KEY')).toBe('restrict,port-forwarding KEY');
      expect(tunnel.failures).toEqual([]);
    });
  },
);

function open(target: TunnelTarget): AsyncDisposable & { it: Tunnel; failures: string[] } {
  const http = createServer((_request, response) => response.end('home'));
  const failures: string[] = [];
  const it = new Tunnel(target, {
    clock: systemClock,
    random: () => 0,
    open: openSession,
    accept: (channel: Duplex) => void http.emit('connection', channel),
    inTurn: (work) => work(),
    changed: (failure) => {
      if (failure !== undefined) failures.push(failure.message);
    },
  });
  return {
    it,
    failures,
    async [Symbol.asyncDispose]() {
      it.close();
      http.closeAllConnections();
    },
  };
}

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (more: string) => (text += more))
        .on('end', () => resolve(text));
    });
    asked.setTimeout(500, () => asked.destroy(new Error('no answer')));
    asked.on('error', reject).end();
  });
}
