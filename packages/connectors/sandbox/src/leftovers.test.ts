import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { givenUpAfter } from '@paceline/connector-host/testing';
import { expect, test } from 'vitest';
import { recordIntent } from './intent.ts';
import { createRun } from './run-directory.ts';
import { openSite } from './site.ts';
import {
  context,
  engine,
  first,
  launchRequest,
  openEngine,
  openSandbox,
  testImage,
  textOf,
  tracesOf,
  until,
  type TestSandbox,
} from './testing/sandbox.ts';
import { withMachines } from './testing/with-machines.ts';

const layers = { layers: [], host: true };

/** Launches in another process, which kills itself afterwards. */
function launchElsewhere(
  sandbox: TestSandbox,
  launch: { userData: string; token: string; count: number; expiresInMs: number },
): Promise<string[]> {
  const program = fileURLToPath(new URL('./testing/engine.ts', import.meta.url));
  const request = JSON.stringify({ config: sandbox.config, image: testImage, ...launch });
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--conditions=@paceline/source', program, request], (error, stdout, stderr) => {
      if (stdout === '') {
        reject(error ?? new Error(stderr));
      } else {
        resolve(JSON.parse(stdout));
      }
    });
  });
}

/** The process 1 of a run's supervisor. */
async function supervisorOf(sandbox: TestSandbox): Promise<number> {
  const { processes } = await tracesOf(sandbox);
  const commands = await Promise.all(processes.map((pid) => textOf(`/proc/${pid}/cmdline`)));
  return first(processes.filter((_, at) => /python3?\0-I/.test(commands[at] ?? '') && !commands[at]?.includes('unshare')));
}

test(
  'launches at once, in this and in other processes, make each machine once and boot it once',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const token = randomBytes(16).toString('hex');
    const userData = `#!/bin/sh\ncurl -s -d x ${home.url}/$(hostname)/$(cat /proc/sys/kernel/random/uuid)\n`;
    const request = launchRequest(userData, { token, count: 2, image: testImage });
    const here = [1, 2].map(async () => (await sandbox.connector.launch(request, context)).map(({ id }) => id));
    const [ids, ...others] = await Promise.all([...here, launchElsewhere(sandbox, { userData, token, count: 2, expiresInMs: 60_000 })]);
    expect(others).toEqual([ids, ids]);
    await until('both have called', () => home.paths().length >= 2, 50_000);
    expect(home.paths()).toHaveLength(2);
    expect(await sandbox.connector.launch(request, context)).toMatchObject([{ id: ids?.[0] }, { id: ids?.[1] }]);
    expect((await sandbox.list()).map(({ kind }) => kind)).toEqual(['machine', 'machine', 'group']);
    expect(new Set(home.paths().map((path) => path.split('/')[1]))).toEqual(new Set(['server-1', 'server-2']));
  }),
  60_000,
);

test(
  'a machine that was noted and never started is started by the next launch, and nobody waits for it before',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const request = launchRequest(`#!/bin/sh\ncurl -s -d x ${home.url}/here\n`, { image: testImage });
    await expect(sandbox.connector.launch(request, givenUpAfter(1))).rejects.toMatchObject({ code: 'timeout' });
    const [noted] = await sandbox.list({ token: request.token });
    expect(noted).toMatchObject({ kind: 'machine', token: request.token });
    expect(noted?.machine).toBeUndefined();
    expect(await sandbox.connector.launch(request, context)).toMatchObject([{ id: noted?.id }]);
    await home.posted('/here');
    expect(await sandbox.list({ token: request.token })).toMatchObject([{ id: noted?.id, machine: { state: 'running' } }]);
  }),
  60_000,
);

test(
  'machines end at their end of life though no engine is left',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    const token = randomBytes(16).toString('hex');
    const [id = ''] = await launchElsewhere(sandbox, { userData: '#!/bin/sh\nsleep 100\n', token, count: 1, expiresInMs: 1_500 });
    const stopped = await until('it stops', async () => {
      const seen = await sandbox.describe(id);
      return seen?.state === 'stopped' && seen;
    });
    expect(stopped.fault).toBe('its end of life');
    await until('nothing runs', async () => (await tracesOf(sandbox)).processes.length === 0);
    expect((await sandbox.list()).map(({ kind }) => kind)).toEqual(['machine', 'group']);
  }),
  60_000,
);

test(
  'with a supervisor that is killed everything ends, and a later launch has another one',
  withMachines(async () => {
    await using sandbox = await openSandbox({ network: '10.89.0.0/16' });
    await using home = await openEngine();
    const isClean = async (): Promise<boolean> => {
      const { processes, interfaces } = await tracesOf(sandbox);
      return processes.length + interfaces.length === 0;
    };
    const machine = await sandbox.launchOne(`#!/bin/sh\ncurl -s -d x ${home.url}/one\nsleep 100\n`);
    await home.posted('/one');
    process.kill(await supervisorOf(sandbox), 'SIGKILL');
    await until('nothing is left of it', isClean);
    expect(await sandbox.describe(machine.id)).toMatchObject({ state: 'stopped', fault: 'its supervisor was killed' });

    const next = await sandbox.launchOne(`#!/bin/sh\ncurl -s -d x ${home.url}/two\n`);
    await home.posted('/two');
    await sandbox.connector.terminate([machine.id], context);
    expect((await sandbox.list()).map(({ id }) => id)).toContain(next.id);
    await sandbox.connector.terminate([next.id], context);
    expect(await sandbox.list()).toEqual([]);
    await until('nothing is left of them', isClean);
  }),
  60_000,
);

test(
  'a run that ends while another machine joins it goes on',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    let last = await sandbox.launchOne('#!/bin/sh\n');
    for (let round = 0; round < 8; round += 1) {
      const [, next] = await Promise.all([sandbox.connector.terminate([last.id], context), sandbox.launchOne('#!/bin/sh\n')]);
      last = next;
      expect(await sandbox.describe(last.id)).toMatchObject({ state: 'running' });
    }
    await sandbox.connector.terminate([last.id], context);
    expect(await sandbox.list()).toEqual([]);
  }),
  60_000,
);

test(
  'an engine that dies between intent and start leaves a machine that the next launch finishes',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const request = launchRequest(`#!/bin/sh\ncurl -s -d x ${home.url}/up\n`, { image: testImage });
    const site = await openSite(sandbox.config, true);
    const intended = testImage === '' ? layers : { layers: [testImage], host: false };
    const { id } = await recordIntent(site, request, first(request.machines), intended, Date.now());
    expect(await sandbox.describe(id)).toMatchObject({ state: 'pending' });
    expect(await sandbox.list({ token: request.token })).toMatchObject([{ kind: 'machine', id, expiresAt: request.expiresAt }]);
    await sandbox.connector.launch(request, context);
    await home.posted('/up');
  }),
  60_000,
);

test('machines that were never started are found by their tags, and terminated', async () => {
  await using sandbox = await openSandbox();
  const site = await openSite(sandbox.config, true);
  const one = launchRequest('#!/bin/sh\n');
  const two = launchRequest('#!/bin/sh\n', { owner: { engine, run: 'run-2', node: 'client' } });
  for (const request of [one, two]) await recordIntent(site, request, first(request.machines), layers, Date.now());
  const select = async (query: object) => (await sandbox.list(query)).map(({ kind, owner: { run } }) => `${kind} ${run}`).toSorted();
  expect(await select({})).toEqual(['group run-1', 'group run-2', 'machine run-1', 'machine run-2']);
  expect(await select({ run: 'run-2' })).toEqual(['group run-2', 'machine run-2']);
  expect(await select({ token: one.token })).toEqual(['machine run-1']);
  expect(await select({ engine: 'another' })).toEqual([]);

  const [machine, group] = await sandbox.list({ run: 'run-1' });
  await expect(sandbox.connector.remove?.(first(group === undefined ? [] : [group]), context)).rejects.toMatchObject({ code: 'conflict' });
  await sandbox.connector.terminate([machine?.id ?? ''], context);
  expect(await select({})).toEqual(['group run-2', 'machine run-2']);
  await expect(
    recordIntent(site, { ...two, owner: { ...two.owner, node: 'other' } }, first(two.machines), layers, Date.now()),
  ).rejects.toMatchObject({ code: 'conflict' });
});

test('a machine whose record is damaged is listed with its owner, and can be ended', async () => {
  await using sandbox = await openSandbox();
  const site = await openSite(sandbox.config, true);
  const request = launchRequest('#!/bin/sh\n', { count: 2 });
  const [damaged, empty] = await Promise.all(request.machines.map((machine) => recordIntent(site, request, machine, layers, Date.now())));
  await truncate(sandbox.path(damaged ?? { id: '' }, 'machine.json'), 40);
  await rm(sandbox.path(empty ?? { id: '' }, 'machine.json'));
  const machines = (await sandbox.list({ run: 'run-1' })).filter(({ kind }) => kind === 'machine');
  expect(Object.fromEntries(machines.map(({ id, machine }) => [id, machine?.fault?.slice(0, 27)]))).toEqual({
    [damaged?.id ?? '']: 'machine.json cannot be read',
    [empty?.id ?? '']: 'machine.json is missing',
  });
  await sandbox.connector.terminate(
    machines.map(({ id }) => id),
    context,
  );
  expect(await sandbox.list()).toEqual([]);
});

test('a run without machines is a group that can be removed, also if it was left half-way', async () => {
  await using sandbox = await openSandbox();
  const site = await openSite(sandbox.config, true);
  const owner = { engine, run: 'run-1' };
  const run = await createRun(site, owner);
  await rm(join(run, 'machines'), { recursive: true });
  expect(await sandbox.list()).toMatchObject([{ kind: 'group', owner }]);
  await createRun(site, owner);
  expect(await readdir(run)).toContain('machines');
  await sandbox.connector.remove?.(first(await sandbox.list()), context);
  expect(await readdir(site.runs)).toEqual([]);
});

test('what a crash left in the staging directory is swept by a later launch', async () => {
  await using sandbox = await openSandbox();
  const site = await openSite(sandbox.config, true);
  await mkdir(join(site.staging, 'image-old'));
  await writeFile(join(site.staging, 'image-old', 'file'), '');
  const longAgo = new Date(Date.now() - 24 * 3_600_000);
  await utimes(join(site.staging, 'image-old'), longAgo, longAgo);
  await expect(sandbox.launch('', { image: 'nowhere' })).rejects.toMatchObject({ code: 'notFound' });
  expect(await readdir(site.staging)).toEqual([]);
});
