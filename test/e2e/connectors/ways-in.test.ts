import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { clouds, leaveNothing, onlyRun, personWith } from './clouds.ts';

const bootsMany = process.env['PACELINE_QEMU_BOOTS'] === 'many';
const why = clouds.qemu.why ?? (bootsMany ? undefined : 'takes minutes; PACELINE_QEMU_BOOTS=many asks for it');

afterEach(() => vi.unstubAllEnvs());

/** An agent of SSH that has one key, for the commands of a test. */
async function openAgent(): Promise<AsyncDisposable & { publicKey: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-keys-'));
  const key = join(folder, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const said = execFileSync('ssh-agent', ['-s', '-a', join(folder, 'agent')], { encoding: 'utf8' });
  vi.stubEnv('SSH_AUTH_SOCK', join(folder, 'agent'));
  execFileSync('ssh-add', ['-q', key], { env: process.env });
  return {
    publicKey: (await readFile(`${key}.pub`, 'utf8')).split(' ').slice(0, 2).join(' '),
    async [Symbol.asyncDispose]() {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]));
      await rm(folder, { recursive: true });
    },
  };
}

async function projectOfOneBox(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-project-'));
  const module = (kind: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name: 'ways' }, spec });
  await writeFile(join(folder, 'image.yaml'), module('Image', { scripts: { deploy: '#!/bin/sh\ntrue\n' } }));
  await writeFile(join(folder, 'deployment.yaml'), module('Deployment', { nodes: { box: { image: './image.yaml' } } }));
  return join(folder, 'deployment.yaml');
}

describe.each([{ reach: 'tunnel' }, { reach: 'host' }])('a machine of QEMU with reach: $reach', ({ reach }) => {
  test('lets people in by SSH, and shows the key that it should have', async ({ skip }) => {
    skip(why !== undefined, why);
    await using agent = await openAgent();
    const person = await personWith({ virtual: { ...clouds.qemu.settings, reach, publicKeys: [agent.publicKey] } });
    try {
      const up = await person.type(['up', await projectOfOneBox(), '--cloud', 'virtual', '--timeout', '10m']);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const { id } = await onlyRun(person);
      const inside = await person.type(['ssh', id, 'box.1', '--', 'sh', '-c', 'hostname; ls -d /var/lib/paceline-tunnel 2>/dev/null']);
      const tunnel = reach === 'tunnel' ? '/var/lib/paceline-tunnel\n' : '';
      expect(inside, inside.stderr).toMatchObject({ stdout: `box-1-${id.slice(0, 8)}\n${tunnel}` });
    } finally {
      await leaveNothing(person);
    }
  }, 900_000);
});
