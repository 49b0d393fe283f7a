import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { X509Certificate } from 'node:crypto';
import type { Config } from './config.ts';
import { unreadable } from './failure.ts';

/** Where a server is, and how it is spoken to. */
export interface Endpoint {
  /** For people. */
  name: string;
  secure: boolean;
  options: RequestOptions;
  close(): void;
}

const usualSockets = [
  '/var/lib/incus/unix.socket',
  '/var/snap/lxd/common/lxd/unix.socket',
  '/var/lib/lxd/unix.socket',
  '/run/incus/unix.socket',
];

/** How long an unused connection is kept, in milliseconds: less than servers do, so that none is used that is being closed. */
const idleMs = 3000;

/** @throws auth, when a file of the configuration cannot be read */
export async function openEndpoint(config: Config): Promise<Endpoint> {
  if (config.url === undefined) {
    const socketPath = config.socket ?? usualSockets.find((path) => existsSync(path)) ?? '/var/lib/lxd/unix.socket';
    const agent = new HttpAgent();
    return { name: socketPath, secure: false, options: { socketPath, agent, host: 'lxd' }, close: () => agent.destroy() };
  }
  const { hostname, port } = new URL(config.url);
  const [cert, key, pinned, ca] = await Promise.all([config.certificate, config.key, config.serverCertificate, config.ca].map(readPem));
  const expected = pinned === undefined ? undefined : new X509Certificate(pinned);
  const agent = new HttpsAgent({
    keepAlive: true,
    timeout: idleMs,
    cert,
    key,
    minVersion: 'TLSv1.2',
    ca: pinned ?? ca,
    // Who has the pinned certificate is the server, whatever names stand in it.
    ...(expected !== undefined && { checkServerIdentity: (_host, { raw }) => (raw.equals(expected.raw) ? undefined : notPinned()) }),
  });
  return {
    name: config.url,
    secure: true,
    options: { host: hostname.replace(/[[\]]/g, ''), port: port === '' ? 443 : Number(port), agent },
    close: () => agent.destroy(),
  };
}

/** Whether the server's machines are on this host, so that they can be led to its loopback addresses. */
export function isLocal({ url }: Config): boolean {
  return url === undefined || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

async function readPem(path: string | undefined): Promise<Buffer | undefined> {
  try {
    return path === undefined ? undefined : await readFile(path);
  } catch (error) {
    throw unreadable(path ?? '', error);
  }
}

function notPinned(): Error {
  return Object.assign(new Error('the server has another certificate than the pinned one'), { code: 'ERR_TLS_CERT_NOT_PINNED' });
}
