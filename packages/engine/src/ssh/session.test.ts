import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect, createServer as connections, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { freePort, openSshServer, whyNoSshServer } from '../testing/ssh-server.ts';
import { HostKeyMismatch, isHostKey } from './host-key.ts';
import { keyPairOf } from './key-pair.ts';
import { openSession } from './session.ts';
import { shownHostKey } from './shown-host-key.ts';

const { signal } = new AbortController();

describe('keys', () => {
  test.skipIf(spawnSync('ssh-keygen', ['-?']).error !== undefined)('are what OpenSSH takes them for', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'paceline-key-')), 'key');
    const { privateKey, publicKey } = keyPairOf(Buffer.alloc(32, 5));
    writeFileSync(path, privateKey, { mode: 0o600 });
    expect(execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' }).trim()).toBe(publicKey);
  });

  test('are recognised, and nothing else is', () => {
    expect(isHostKey(keyPairOf(Buffer.alloc(32)).publicKey)).toBe(true);
    expect(isHostKey(`${keyPairOf(Buffer.alloc(32)).publicKey} root@host`)).toBe(true);
    const { publicKey } = keyPairOf(Buffer.alloc(32));
    for (const text of ['', 'ssh-ed25519', publicKey.replace('ed25519', 'rsa'), `host ${publicKey}`])
      expect(isHostKey(text), text).toBe(false);
    fc.assert(fc.property(fc.string(), (text) => !isHostKey(text)));
  });
});

describe.skipIf(whyNoSshServer !== undefined)(`a session with OpenSSH${whyNoSshServer === undefined ? '' : ` (${whyNoSshServer})`}`, () => {
  test('a stranger is shown its key, and sends nothing', async () => {
    await using server = await openSshServer();
    const { host, port, hostKeys } = server.access;
    expect([await shownHostKey(host, port, signal)]).toEqual(hostKeys);
    expect(server.log()).not.toMatch(/Accepted|Postponed|publickey/);
    await expect(shownHostKey(host, await freePort(), signal)).rejects.toThrow('ECONNREFUSED');
    await expect(shownHostKey(host, port, AbortSignal.abort())).rejects.toThrow('Gave up');
  });

  test('runs commands and leads a socket back', async () => {
    await using server = await openSshServer();
    const session = await openSession(server.access, signal);
    expect(await session.run('cat; echo oops >&2; exit 3', { input: 'hello', signal })).toEqual({
      code: 3,
      stdout: 'hello',
      stderr: 'oops\n',
    });
    expect(await session.run('kill -9 $$', { signal })).toMatchObject({ code: null });
    const http = createServer((asked, response) => response.end(`it is ${asked.url}`));
    const socketPath = join(server.folder, 'socket');
    await session.forward(socketPath, (channel) => http.emit('connection', channel), signal);
    expect(await textOf(socketPath)).toBe('it is /');
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await expect(session.forward(socketPath, () => {}, signal)).rejects.toThrow(socketPath);
    session.end();
    await session.ended;
    await expect(textOf(socketPath)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
    await expect(session.run('true', { signal })).rejects.toThrow();
  });

  test('takes no more output than is good', async () => {
    await using server = await openSshServer();
    const session = await openSession(server.access, signal);
    await expect(session.run('exec yes', { signal })).rejects.toThrow('printed more than');
    session.end();
    await session.ended;
  });

  test('ends also when the other side does not agree to it, and waits for no answer without end', async () => {
    await using server = await openSshServer();
    let isFrozen = false;
    const relay = connections({ allowHalfOpen: true }, (near) => {
      const far = connect(server.access.port, '127.0.0.1');
      near.on('data', (data) => void (isFrozen || far.write(data))).on('error', () => {});
      near.on('close', () => far.destroy());
      far.on('data', (data) => void (isFrozen || near.write(data))).on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const session = await openSession({ ...server.access, port: (relay.address() as AddressInfo).port }, signal);
    isFrozen = true;
    await expect(session.forward('/tmp/none', () => {}, AbortSignal.timeout(50))).rejects.toThrow('Gave up');
    session.end();
    await session.ended;
    relay.close();
  });

  test('does not begin with a server that has another key, before that learns who calls', async () => {
    await using server = await openSshServer();
    const access = { ...server.access, hostKeys: [keyPairOf(Buffer.alloc(32, 9)).publicKey] };
    const refused = openSession(access, signal);
    await expect(refused).rejects.toThrow(HostKeyMismatch);
    await expect(refused).rejects.toThrow(/port \d+ is not the one it should be: it shows a ssh-ed25519 key with the fingerprint SHA256:/);
    expect(server.log()).not.toMatch(/Accepted|Postponed|publickey/);
  });

  test('is refused with another key, and given up with its signal', async () => {
    await using server = await openSshServer();
    await expect(
      openSession({ ...server.access, credential: { privateKey: keyPairOf(Buffer.alloc(32)).privateKey } }, signal),
    ).rejects.toThrow('authentication');
    await expect(openSession(server.access, AbortSignal.abort())).rejects.toThrow('Gave up');
    const session = await openSession(server.access, signal);
    const stop = new AbortController();
    const command = session.run('echo $$; exec sleep 1000', { signal: stop.signal });
    stop.abort();
    await expect(command).rejects.toThrow('Gave up');
    session.end();
  });
});

function textOf(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, agent: false }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (more: string) => (text += more))
        .on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}
