import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, type Client } from '@paceline/api';
import { onTestFinished } from 'vitest';
import { repository } from '../../support/system.ts';
import { until } from '../../support/until.ts';
import type { Bench } from './bench.ts';

const program = join(repository, 'packages/cli/dist/paceline.mjs');

export interface ServerOfOthers {
  url: string;
  /** As its operator. */
  client: Client;
  /** Dies. */
  fall: () => Promise<void>;
  /** Is started again. */
  rise: () => Promise<void>;
  /** Both. */
  fallOver: () => Promise<void>;
}

/** A server of others, which lets in jobs of `octo/app` on its main branch. */
export async function serve({ github, cloud, runner }: Bench, role = 'deployer', cloudsFile = cloud.file): Promise<ServerOfOthers> {
  const logins = join(runner.temp, '..', 'logins.yaml');
  // The audience has to be known before the port is: the actions name the server as they were told.
  const state = join(runner.temp, '..', 'server');
  const start = (listen: string): ChildProcess =>
    spawn(process.execPath, [program, '--state', state, 'server', '--port', listen, '--clouds', cloudsFile, '--logins', logins], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const policy = (audience: string): string =>
    JSON.stringify({ github: { issuer: github.issuer.url, audience, allow: [{ repository: 'octo/app', ref: 'refs/heads/main', role }] } });
  await writeFile(logins, policy('http://unknown'));
  const addressOf = async (child: ChildProcess): Promise<string> => {
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return until(() => {
      const [, url] = /Paceline listens on (\S+)/.exec(said) ?? [];
      if (url === undefined) throw new Error(`the server does not listen: ${said}`);
      return url;
    });
  };
  const first = start('0');
  const url = await addressOf(first);
  first.kill('SIGTERM');
  await once(first, 'exit');
  await writeFile(logins, policy(url));
  const { port } = new URL(url);
  let server = start(port);
  onTestFinished(async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  });
  await addressOf(server);
  const fall = async (): Promise<void> => {
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  const rise = async (): Promise<void> => {
    server = start(port);
    await addressOf(server);
  };
  const fallOver = async (): Promise<void> => {
    await fall();
    await rise();
  };
  const token = (await readFile(join(state, 'operator.token'), 'utf8')).trim();
  return { url, client: createClient({ url, token }), fall, rise, fallOver };
}
