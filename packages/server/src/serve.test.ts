import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openServer, type RunningServer, type ServerOptions } from './serve.ts';
import { StateDirectory } from './state-directory.ts';

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

  it('does not start on a state that another one uses', async () => {
    await open();
    await expect(open()).rejects.toMatchObject({ code: 'PACELINE_STORE_LOCKED' });
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

  it('whose port cannot be read has none', async () => {
    const state = await StateDirectory.open(join(folder, 'a'));
    expect(await state.lastPort()).toBeUndefined();
    await writeFile(join(folder, 'a', 'port'), 'ssh');
    expect(await state.lastPort()).toBeUndefined();
    await state.rememberPort(4711);
    expect(await state.lastPort()).toBe(4711);
  });
});
