import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { repository } from '../support/system.ts';
import { until } from '../support/until.ts';
import { bench, type Bench } from './support/bench.ts';

const program = join(repository, 'packages/cli/dist/paceline.mjs');

/** A server of others, which lets in jobs of `octo/app` on its main branch. */
async function serve({ github, cloud, runner }: Bench, port = '0'): Promise<{ url: string; server: ChildProcess }> {
  const logins = join(runner.temp, '..', 'logins.yaml');
  // The audience has to be known before the port is: the actions name the server as they were told.
  const state = join(runner.temp, '..', 'server');
  const start = (listen: string): ChildProcess =>
    spawn(process.execPath, [program, '--state', state, 'server', '--port', listen, '--clouds', cloud.file, '--logins', logins], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const policy = (audience: string): string =>
    JSON.stringify({ github: { issuer: github.issuer.url, audience, allow: [{ repository: 'octo/app', ref: 'refs/heads/main' }] } });
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
  const first = start(port);
  const url = await addressOf(first);
  first.kill('SIGTERM');
  await once(first, 'exit');
  await writeFile(logins, policy(url));
  const server = start(new URL(url).port);
  onTestFinished(async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  });
  await addressOf(server);
  return { url, server };
}

it('logs in by what the job is, without any secret, and leaves nothing', async () => {
  const set = await bench();
  const { github, cloud, runner } = set;
  const { url } = await serve(set);
  const inputs = { deployment: 'examples/client-server', server: url };
  const { main, post } = await runner.job('deploy', { inputs });
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  expect(main.outputs).toMatchObject({ state: 'Ready', url });
  expect(post.output).toContain('Nothing is left');
  // No process of the job's own has served it, and no token is kept or shown.
  expect(main.log.masks.filter((mask) => mask.startsWith('pls_')).length).toBe(1);
  expect(main.log.shown + JSON.stringify(main.state)).not.toMatch(/pls_\w/);
  expect(github.complaints).toEqual([]);
  await until(async () => cloud.expectEmpty(), 10_000);
});

it('is refused where no rule lets it in, with what the job is', async () => {
  const set = await bench();
  const { url } = await serve(set);
  set.github.claims = { ref: 'refs/heads/other' };
  const { main, post } = await set.runner.job('deploy', { inputs: { deployment: 'examples/client-server', server: url } });
  expect(main.code).toBe(1);
  expect(main.log.annotations.at(-1)?.message).toContain('No rule of this server lets this job in: repository octo/app');
  expect(post.code, 'a post that cannot look says so').toBe(1);
});

it('a server that is down fails the step, and one that comes back in time does not', async () => {
  const { runner } = await bench();
  const inputs = { deployment: 'examples/client-server', server: 'http://127.0.0.1:9' };
  const { main } = await runner.job('deploy', { inputs });
  expect(main.code).toBe(1);
  expect(main.log.annotations.at(-1)?.message).toContain('http://127.0.0.1:9 cannot be reached');
});
