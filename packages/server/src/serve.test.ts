import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, Server, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { Engine, RunStore } from '@paceline/engine';
import { ConnectorError } from '@paceline/engine/connector';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openServer, type RunningServer, type ServerOptions } from './serve.ts';
import { StateDirectory } from './state-directory.ts';
import { clientServer } from './testing/test-server.ts';

let folder: string;
const opened: RunningServer[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paceline-serve-'));
  await writeFile(join(folder, 'agent.cjs'), '// the agent\n');
});
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const state = await StateDirectory.open(join(folder, 'state'));
  const rest = { host: '127.0.0.1', port: 0, clouds: [], agentPath: join(folder, 'agent.cjs'), version: '0.0.0', logger: false as const };
  const server = await openServer({ state, ...rest, ...options });
  opened.push(server);
  return server;
}

describe('a server', () => {
  it('answers where it says, and is there again under the same address the next time', async () => {
    const first = await open();
    expect(await (await fetch(`${first.url}/api/health`)).json()).toEqual({ status: 'ok' });
    await opened.pop()?.close();
    expect((await open()).url).toBe(first.url);
  });

  it('answers with a note while a cloud cannot be used', async () => {
    const why = new ConnectorError('unavailable', 'no route to host');
    const server = await open({ clouds: [{ name: 'lab', connector: 'exec', why }] });
    const note = '1 of 1 clouds cannot be used: see `paceline clouds`';
    expect(await (await fetch(`${server.url}/api/health`)).json()).toEqual({ status: 'ok', note });
  });

  it('takes another port when its old one is taken', async () => {
    const first = await open();
    await opened.pop()?.close();
    const squatter: Server = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await open();
      expect(second.url).not.toBe(first.url);
      expect((await fetch(`${second.url}/api/health`)).status).toBe(200);
    } finally {
      squatter.close();
    }
  });

  it('opens with the token of its state directory, which only its user can read', async () => {
    const server = await open();
    const file = join(folder, 'state', 'operator.token');
    const token = (await readFile(file, 'utf8')).trim();
    const info = await fetch(`${server.url}/api/info`, { headers: { authorization: `Bearer ${token}` } });
    expect(info.status).toBe(200);
    for (const path of ['.', 'operator.token', 'engine.key', 'port']) {
      expect((await stat(join(folder, 'state', path))).mode & 0o077).toBe(0);
    }
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])('does not listen on %s without TLS', async (host) => {
    await expect(open({ host })).rejects.toMatchObject({
      code: 'PACELINE_REQUEST_INVALID',
      message: `Plain HTTP on ${host} would send tokens in the clear`,
    });
  });

  it('without clouds answers, and says of a run what it lacks', async () => {
    const server = await open({ clouds: [] });
    const token = (await readFile(join(folder, 'state', 'operator.token'), 'utf8')).trim();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ deployment: await clientServer() });
    const answer = await fetch(`${server.url}/api/runs`, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({
        code: 'PACELINE_CLOUD_UNKNOWN',
        detail: 'A run of client-server cannot start: the server has no cloud for its machines',
        hint: expect.stringContaining('Name one in its file of clouds'),
      }),
    ]);
  });

  it('does not start on a state that another one uses', async () => {
    await open();
    await expect(open()).rejects.toMatchObject({ code: 'PACELINE_STORE_LOCKED' });
  });

  const broken = new Error('broken');
  it.each([
    ['its store cannot be read', () => vi.spyOn(RunStore, 'open').mockRejectedValueOnce(broken), 'broken'],
    ['its runs cannot be read', () => vi.spyOn(Engine.prototype, 'load').mockRejectedValueOnce(broken), 'broken'],
    ['its port cannot be written down', () => vi.spyOn(StateDirectory.prototype, 'rememberPort').mockRejectedValueOnce(broken), 'broken'],
    ['its certificate is none', () => ({ tls: { cert: 'none', key: 'none' } }), 'PEM'],
  ])('that does not start because %s leaves nothing open', async (_what, arrange, message) => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    try {
      const arranged = arrange();
      await expect(open('tls' in arranged ? arranged : {})).rejects.toThrow(message);
      expect(listen.mock.contexts.filter((server) => server instanceof Server && server.listening)).toEqual([]);
      await open();
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('that does not start because its port is taken says so, and leaves nothing open', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    try {
      await expect(open({ port })).rejects.toMatchObject({
        code: 'PACELINE_REQUEST_INVALID',
        message: `The server cannot start: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
      });
      await open();
    } finally {
      squatter.close();
    }
  });
});

describe('a state directory', () => {
  it('keeps its secrets from one opening to the next, and makes others elsewhere', async () => {
    const [one, again, other] = [
      await StateDirectory.open(join(folder, 'a')),
      await StateDirectory.open(join(folder, 'a')),
      await StateDirectory.open(join(folder, 'b')),
    ];
    expect(await one.operatorToken()).toBe(await again.operatorToken());
    expect(await one.key()).toEqual(await again.key());
    expect((await one.key()).length).toBe(32);
    expect(await other.operatorToken()).not.toBe(await one.operatorToken());
    expect(await other.key()).not.toEqual(await one.key());
  });

  it('is made only once, whole, by as many as begin at the same moment', async () => {
    const keys = await Promise.all(
      Array.from({ length: 50 }, async () => (await (await StateDirectory.open(join(folder, 'a'))).key()).toString('hex')),
    );
    expect(new Set(keys)).toEqual(new Set([expect.stringMatching(/^[0-9a-f]{64}$/)]));
    expect(await readdir(join(folder, 'a'))).toEqual(['engine.key']);
  });

  it('whose port cannot be read has none', async () => {
    const state = await StateDirectory.open(join(folder, 'a'));
    expect(await state.lastPort()).toBeUndefined();
    await writeFile(join(folder, 'a', 'port'), 'ssh');
    expect(await state.lastPort()).toBeUndefined();
    await state.rememberPort(4711);
    expect(await state.lastPort()).toBe(4711);
  });
});
