import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maxUserDataBytes, renderUserData, type Bootstrap } from './user-data.ts';

const bootstrap: Bootstrap = {
  url: 'http://127.0.0.1:1',
  agentSha256: 'a'.repeat(64),
  run: 'a1b2c3d4-0000-4000-8000-000000000000',
  instance: 'apache.1',
  secret: 'x'.repeat(43),
  expiresAt: new Date(0),
};

describe('user data', () => {
  it('is small and correct shell', () => {
    const bytes = renderUserData({ ...bootstrap, url: `https://${'a'.repeat(200)}.example` });
    expect(bytes.length).toBeLessThan(maxUserDataBytes / 1.5);
    execFileSync('sh', ['-n'], { input: bytes });
  });

  it('refuses values that would end a quote', () => {
    expect(() => renderUserData({ ...bootstrap, secret: "a'b" })).toThrow('quote');
  });

  it('hands an agent that is in the image to the resident of a local run', () => {
    const root = mkdtempSync(join(tmpdir(), 'paceline-boot-'));
    const agent = 'the agent';
    const sha = createHash('sha256').update(agent).digest('hex');
    for (const name of ['cache', 'resident']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'cache', `agent-${sha}.cjs`), agent);
    const { status, stderr } = spawnSync('sh', {
      input: renderUserData({ ...bootstrap, agentSha256: sha }),
      env: { ...environment(root), PACELINE_RESIDENT: join(root, 'resident'), PACELINE_MACHINE: 'm1', PACELINE_SOCKET: '/s' },
    });
    expect([status, String(stderr)]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(join(root, 'resident', 'm1.json'), 'utf8'))).toEqual({
      root,
      packages: 'check',
      socket: '/s',
      env: { PACELINE_MACHINE: 'm1', PACELINE_ADDRESS: '', HOME: root, TMPDIR: '/tmp' },
      url: bootstrap.url,
      run: bootstrap.run,
      instance: 'apache.1',
      secret: bootstrap.secret,
      expires: '1970-01-01T00:00:00.000Z',
    });
    expect(readFileSync(join(root, 'resident', 'agent'), 'utf8')).toBe(join(root, 'cache', `agent-${sha}.cjs`));
  });

  it('refuses an agent with another hash', async () => {
    const root = mkdtempSync(join(tmpdir(), 'paceline-boot-'));
    const server = createServer((_request, response) => response.end('something else'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const script = join(root, 'user-data');
    writeFileSync(script, renderUserData({ ...bootstrap, url }));
    const child = spawn('sh', [script], { env: environment(root), stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    const status = await new Promise((resolve) => child.on('close', resolve));
    server.close();
    expect(status).toBe(1);
    expect(stderr).toContain(`expected ${'a'.repeat(64)}`);
  });
});

function environment(root: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    PACELINE_ROOT: root,
    PACELINE_AGENT_CACHE: join(root, 'cache'),
    PACELINE_PACKAGES: 'check',
    HOME: root,
  };
}
