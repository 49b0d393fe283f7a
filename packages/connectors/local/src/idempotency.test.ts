import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { context, launchRequest, lives, openHost, textOf, until } from './testing/host.ts';

const countingUserData = '#!/bin/sh\necho x >>"$PACELINE_RESIDENT/../boots"\n';

/** Launches in another process, which kills itself afterwards. */
function launchElsewhere(launch: { root: string; userData: string; token: string; count: number; expiresInMs: number }): Promise<string[]> {
  const program = fileURLToPath(new URL('./testing/engine.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--conditions=@paceline/source', program, JSON.stringify(launch)], (error, stdout, stderr) => {
      if (stdout === '') {
        reject(error ?? new Error(stderr));
      } else {
        resolve(JSON.parse(stdout));
      }
    });
  });
}

test('a launch that is repeated finds its machine', async () => {
  await using host = await openHost();
  const request = launchRequest(countingUserData);
  const [one] = await host.connector.launch(request, context);
  const [again] = await host.connector.launch(request, context);
  expect(again).toMatchObject({ id: one?.id, privateIps: one?.privateIps, createdAt: one?.createdAt });
  expect((await host.list()).map(({ kind }) => kind)).toEqual(['machine', 'group']);
});

test('launches at once, in this and in other processes, make each machine once and boot it once', async () => {
  await using host = await openHost();
  const token = randomBytes(16).toString('hex');
  const request = launchRequest(countingUserData, { token, count: 5 });
  const here = [1, 2, 3].map(async () => (await host.connector.launch(request, context)).map(({ id }) => id));
  const elsewhere = [1, 2].map(() =>
    launchElsewhere({ root: host.root, userData: countingUserData, token, count: 5, expiresInMs: 60_000 }),
  );
  const [ids, ...others] = await Promise.all([...here, ...elsewhere]);
  expect(others).toEqual([ids, ids, ids, ids]);

  await until('all have booted', async () =>
    (await Promise.all((ids ?? []).map((id) => textOf(host.path({ id }, 'exit'))))).every((exit) => exit === '0'),
  );
  const runs = await readdir(join(host.root, 'runs'));
  expect(runs).toHaveLength(1);
  expect(await readFile(join(host.root, 'runs', runs[0] ?? '', 'boots'), 'utf8')).toBe('x\n'.repeat(5));
});

test('the token of another run is not taken for the same launch', async () => {
  await using host = await openHost();
  const request = launchRequest('#!/bin/sh\n');
  await host.connector.launch(request, context);
  const owner = { ...request.owner, run: 'run-2' };
  await expect(host.connector.launch({ ...request, owner }, context)).rejects.toMatchObject({ code: 'conflict' });
});

test('machines die at their end of life though no engine is left', async () => {
  await using host = await openHost();
  const userData =
    '#!/bin/sh\nsetsid sh -c "trap : TERM; while :; do sleep 100; done" </dev/null >/dev/null 2>&1 &\necho $! >daemon\nsleep 100\n';
  const token = randomBytes(16).toString('hex');
  const [id = ''] = await launchElsewhere({ root: host.root, userData, token, count: 1, expiresInMs: 1_000 });
  const daemon = Number(await until('the daemon runs', () => textOf(host.path({ id }, 'daemon'))));
  const states = new Set<string | undefined>();
  await until('the machine has stopped', async () => {
    const state = (await host.describe(id))?.state;
    states.add(state);
    return state === 'stopped';
  });
  expect([...states]).toEqual(['running', 'stopping', 'stopped']);
  expect(lives(daemon)).toBe(false);
  await until('the supervisor has ended too', async () => (await readdir(join(host.root, 'runs'))).length === 0);
  expect((await host.list()).map(({ kind }) => kind)).toEqual(['machine']);
});
