import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { SshAccess } from '../ssh/access.ts';
import { keyPairOf } from '../ssh/key-pair.ts';

const program = '/usr/sbin/sshd';

/** Why there can be no SSH server here; undefined if there can. */
export const whyNoSshServer = existsSync(program) ? undefined : 'there is no /usr/sbin/sshd: apt-get install openssh-server';

/** OpenSSH on this host, for the user who runs the tests. */
export interface TestSshServer extends AsyncDisposable {
  folder: string;
  access: SshAccess;
  /** The public key that may log in. */
  publicKey: string;
  /** What the server says of what it does. */
  log(): string;
}

/** @param authorized the line of authorized_keys, made of the public key. @default the key alone */
export async function openSshServer(authorized = (publicKey: string): string => publicKey): Promise<TestSshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-sshd-'));
  // What a unit of systemd would make.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  const [host, client] = [keyPairOf(randomBytes(32)), keyPairOf(randomBytes(32))];
  const port = await freePort();
  await writeFile(join(folder, 'host-key'), host.privateKey, { mode: 0o600 });
  await writeFile(join(folder, 'authorized_keys'), `${authorized(client.publicKey)}\n`, { mode: 0o600 });
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host-key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'PasswordAuthentication no',
    'UsePAM yes',
    'MaxStartups 100',
  ];
  await writeFile(join(folder, 'config'), `${settings.join('\n')}\n`);
  let log = '';
  const child = spawn(program, ['-D', '-e', '-f', join(folder, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  await vi.waitFor(() => {
    if (!log.includes('Server listening')) throw new Error(`sshd does not listen: ${log}`);
  }, 5000);
  return {
    folder,
    access: {
      host: '127.0.0.1',
      port,
      user: userInfo().username,
      hostKeys: [host.publicKey],
      credential: { privateKey: client.privateKey },
    },
    publicKey: client.publicKey,
    log: () => log,
    async [Symbol.asyncDispose]() {
      await end(child);
      await rm(folder, { recursive: true });
    },
  };
}

/** A way to a server that can be cut, so that neither end hears of it, and mended. */
export interface TestRoute extends AsyncDisposable {
  port: number;
  /** Nothing comes through any more, and who comes waits. The near end is closed, as by a time-out; the far one hears nothing. */
  cut(): void;
  mend(): void;
}

export async function openRoute(to: number): Promise<TestRoute> {
  let isCut = false;
  const near = new Set<Socket>();
  const far = new Set<Socket>();
  const server = createServer((socket) => {
    near.add(socket.on('error', () => {}));
    if (isCut) return;
    const other = connect(to, '127.0.0.1').on('error', () => {});
    far.add(other);
    socket.on('data', (data) => void (isCut || other.write(data)));
    other.on('data', (data) => void (isCut || socket.write(data)));
    socket.on('close', () => void (isCut || other.destroy()));
    other.on('close', () => void (isCut || socket.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endNear = (): void => {
    for (const socket of near) socket.destroy();
    near.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      endNear();
    },
    mend() {
      endNear();
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      endNear();
      for (const socket of far) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
