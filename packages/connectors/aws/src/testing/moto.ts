import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const folder = join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'aws');
const program = process.env['PACELINE_MOTO'] ?? join(folder, 'bin', 'moto_server');

/** Why there is no moto; undefined if there is. */
export const reason = existsSync(program) ? undefined : `there is no ${program}: npm run testbed -- aws`;
if (reason !== undefined) console.warn(`Machines of EC2 are not tested here: ${reason}`);

/** A server that answers as EC2 does, for an account of its own. */
export interface Moto extends AsyncDisposable {
  url: string;
}

/** Credentials that the SDK finds by its usual chain. moto takes any. */
export const credentials = { AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing', AWS_EC2_METADATA_DISABLED: 'true' };

export async function openMoto(): Promise<Moto> {
  Object.assign(process.env, credentials);
  const port = await freePort();
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
  const url = `http://127.0.0.1:${port}`;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = Date.now() + 120_000;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`moto does not come up: ${complaint}`);
    await pause(100);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/moto-api/data.json`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
