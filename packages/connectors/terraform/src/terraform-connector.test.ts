import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, engine, first, launchRequest, until } from '@paceline/connector-host/testing';
import type { Connector, Machine } from '@paceline/engine/connector';
import { describe, expect, onTestFinished, test } from 'vitest';
import { complaintOf, isCapacity } from './complaint.ts';
import { configSchema, connectorModule } from './index.ts';
import { noteMachines } from './launch.ts';
import { ModuleCopies } from './module-copy.ts';
import { machineId, siteOf } from './site.ts';
import { openCloud, reason } from './testing/cloud.ts';
import { findTool } from './tool.ts';

const patienceMs = 60_000;

function open(settings: Record<string, unknown>): Connector {
  const connector = connectorModule.createConnector(settings);
  onTestFinished(() => connector.close?.());
  return connector;
}

function become(connector: Connector, id: string, state: Machine['state']): Promise<Machine> {
  const look = async (): Promise<Machine | undefined> => {
    const machine = (await connector.describe([id], context)).get(id);
    return machine?.state === state ? machine : undefined;
  };
  return until(`${id} is ${state}`, look, patienceMs);
}

async function listed(connector: Connector): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of connector.list({ engine }, context)) ids.push(id);
  return ids;
}

async function end(connector: Connector, ids: readonly string[]): Promise<void> {
  await until('they are gone', async () => (await connector.terminate(ids, context)).every(({ gone }) => gone), patienceMs);
}

describe.skipIf(reason !== undefined)(`a cloud of a module${reason === undefined ? '' : ` (${reason})`}`, () => {
  test('tells the module of the machine, and the engine what the module says of it', async () => {
    process.env['PACELINE_TEST_KEY'] = 'a-key-of-23-characters!';
    const cloud = openCloud('difficult', { image: 'debian-12', secrets: { key: 'PACELINE_TEST_KEY' } });
    const connector = open(cloud.settings);
    const [machine] = await connector.launch(launchRequest('#!/bin/sh\n'), context);
    expect(machine).toMatchObject({ index: 1, name: 'server-1', state: 'pending' });
    expect(await become(connector, machine?.id ?? '', 'running')).toMatchObject({
      publicIps: ['203.0.113.7'],
      privateIps: [],
      login: 'admin',
    });
    expect(cloud.contentOf('server-1')).toBe('debian-12 server 23\n');
    expect(filesWith(cloud.root, 'a-key-of-23-characters!')).toEqual([]);
    await end(connector, [machine?.id ?? '']);
    expect(cloud.made()).toEqual([]);
    expect(readdirSync(join(cloud.root, 'machines'))).toEqual([]);
  });

  test('makes what was noted before a crash, and makes it once when two look', async () => {
    const cloud = openCloud('difficult');
    const config = configSchema.parse(cloud.settings);
    const site = siteOf(cloud.root);
    const request = launchRequest('#!/bin/sh\n');
    const [noted] = await noteMachines(site, new ModuleCopies(site, findTool(config)), config, request, context);
    const [one, other] = [open(cloud.settings), open(cloud.settings)];
    const id = noted?.id ?? '';
    await Promise.all([become(one, id, 'running'), become(other, id, 'running')]);
    expect(cloud.contentOf('server-1')).toBe('none server 0\n');
    expect((await one.launch(request, context)).map((machine) => machine.id)).toEqual([id]);
    await end(other, [id]);
    expect(cloud.made()).toEqual([]);
  });

  test('goes on when its engine is killed in the middle, and takes what is there for what it is', async () => {
    const cloud = openCloud('difficult');
    writeFileSync(join(cloud.machines, 'slow'), '');
    const request = launchRequest('#!/bin/sh\n');
    const child = fork(join(import.meta.dirname, 'testing/launch-and-wait.ts'), [JSON.stringify([cloud.settings, request.token])], {
      execArgv: ['--conditions=@paceline/source'],
    });
    await once(child, 'message');
    const id = machineId(request, 1);
    await until('the tool is at it', () => readdirSync(join(cloud.root, 'machines', id)).includes('answer.new'), patienceMs);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const connector = open(cloud.settings);
    expect((await connector.describe([id], context)).get(id)?.state).toBe('pending');
    rmSync(join(cloud.machines, 'slow'));
    await become(connector, id, 'running');
    // As if it had been cut off between the state and what is made of it.
    rmSync(join(cloud.root, 'machines', id, 'outputs.json'));
    await become(connector, id, 'running');
    expect(cloud.contentOf('server-1')).toBe('none server 0\n');
    await end(connector, [id]);
    expect(cloud.made()).toEqual([]);
  });

  test('says in the words of the tool why there is no machine', async () => {
    const cloud = openCloud('difficult');
    writeFileSync(join(cloud.machines, 'refuses'), 'Insufficient capacity in this zone\n');
    const connector = open(cloud.settings);
    const { id } = first(await connector.launch(launchRequest('#!/bin/sh\n'), context));
    const { fault, noRoom } = await become(connector, id, 'error');
    expect(fault).toContain('Insufficient capacity in this zone');
    expect(noRoom).toBe(true);
    await end(connector, [id]);
    expect(readdirSync(join(cloud.root, 'machines'))).toEqual([]);
  });

  test('ends a machine until nothing of it is left, with the module that has made it', async () => {
    const cloud = openCloud('difficult');
    const connector = open(cloud.settings);
    const { id } = first(await connector.launch(launchRequest('#!/bin/sh\n'), context));
    await become(connector, id, 'running');
    writeFileSync(join(cloud.module, 'main.tf'), 'this is no module any more');
    writeFileSync(join(cloud.machines, 'keeps'), '');
    const refused = until(
      'it says why',
      () =>
        connector.terminate([id], context).then(
          () => undefined,
          (error: unknown) => error,
        ),
      patienceMs,
    );
    expect(await refused).toMatchObject({ code: 'conflict', message: expect.stringContaining('server-1') });
    expect(cloud.made()).toEqual(['server-1']);
    expect(await listed(connector)).toEqual([id]);
    rmSync(join(cloud.machines, 'keeps'));
    await until(
      'it is gone',
      async () => {
        const results = await connector.terminate([id], context).catch(() => []);
        return results[0]?.gone;
      },
      patienceMs,
    );
    expect(cloud.made()).toEqual([]);
    // Nobody stands on the copy any more.
    const [copy = ''] = readdirSync(join(cloud.root, 'modules'));
    utimesSync(join(cloud.root, 'modules', copy), 0, 0);
    await end(connector, [first(await connector.launch(launchRequest('#!/bin/sh\n'), context)).id]);
    expect(readdirSync(join(cloud.root, 'modules'))).not.toContain(copy);
  });

  test('stops a tool that hangs, with what it has made in its state, and lets others have their turn', async () => {
    const cloud = openCloud('difficult', { patienceSeconds: 5, graceSeconds: 1, atOnce: 1 });
    writeFileSync(join(cloud.machines, 'slow'), '');
    const connector = open(cloud.settings);
    const { id } = first(await connector.launch(launchRequest('#!/bin/sh\n'), context));
    expect((await become(connector, id, 'error')).fault).toMatch(/apply did not end within 5 s, and was stopped$/);
    expect(readFileSync(join(cloud.root, 'machines', id, 'terraform.tfstate'), 'utf8')).toContain('"status": "tainted"');
    rmSync(join(cloud.machines, 'slow'));
    const other = first(await connector.launch(launchRequest('#!/bin/sh\n', { token: 'b'.repeat(32) }), context));
    await become(connector, other.id, 'running');
    await end(connector, [id, other.id]);
    expect(cloud.made()).toEqual([]);
  });

  test.each([
    { tool: 'that heeds Ctrl-C', deaf: '' },
    { tool: 'that has to be killed', deaf: "trap '' INT; [ $2 != apply ] || sleep 600 & wait" },
  ])('does not wait for a tool $tool, when the machine is to go that it makes', async ({ deaf }) => {
    const { path } = findTool(configSchema.parse({ module: '/', root: '/' }));
    const cloud = openCloud('difficult', { graceSeconds: 1, mercySeconds: 1 });
    const binary = join(cloud.folder, 'tool');
    writeFileSync(binary, `#!/bin/sh\n${deaf}\nexec ${path} "$@"\n`, { mode: 0o755 });
    writeFileSync(join(cloud.machines, 'slow'), '');
    const connector = open({ ...cloud.settings, binary });
    const { id } = first(await connector.launch(launchRequest('#!/bin/sh\n'), context));
    await until('the tool is at it', () => readdirSync(join(cloud.root, 'machines', id)).includes('answer.new'), patienceMs);
    await end(connector, [id]);
    expect(cloud.made()).toEqual([]);
    expect(readdirSync(join(cloud.root, 'machines'))).toEqual([]);
  });

  test('does not take a machine for gone whose tool was killed while it made it', async () => {
    const { path } = findTool(configSchema.parse({ module: '/', root: '/' }));
    const cloud = openCloud('difficult', { graceSeconds: 1, mercySeconds: 1 });
    const binary = join(cloud.folder, 'tool');
    // As a provider does not heed it that waits for its cloud.
    writeFileSync(binary, `#!/bin/sh\ntrap '' INT\n${path} "$@"\n`, { mode: 0o755 });
    writeFileSync(join(cloud.machines, 'slow'), '');
    const connector = open({ ...cloud.settings, binary });
    const { id } = first(await connector.launch(launchRequest('#!/bin/sh\n'), context));
    const folder = join(cloud.root, 'machines', id);
    const answer = (): string => (existsSync(join(folder, 'answer.new')) ? readFileSync(join(folder, 'answer.new'), 'utf8') : '');
    await until('it is being made', () => answer().includes('apply_start'), patienceMs);
    const refusal = (): Promise<unknown> =>
      connector.terminate([id], context).then(
        () => undefined,
        (error: unknown) => error,
      );
    await until('it says why', refusal, patienceMs);
    expect(await until('it goes on saying it', refusal, patienceMs)).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/killed while it made it.* \(terraform_data\.machine: Creating\.\.\. \).* delete .*\/killed$/),
    });
    const { fault } = first([...(await connector.describe([id], context)).values()]);
    expect(fault).toMatch(/^apply was killed: it did not stop within 1 s, or there was no memory for it$/);
    rmSync(join(folder, 'killed'));
    await until('it is gone', async () => (await connector.terminate([id], context).catch(() => []))[0]?.gone, patienceMs);
    expect(cloud.made()).toEqual([]);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'does not make a machine twice, nor take it for gone, when all that made it got %s',
    async (signal) => {
      const cloud = openCloud('difficult');
      writeFileSync(join(cloud.machines, 'slow'), '');
      const connector = open(cloud.settings);
      const { id } = first(await connector.launch(launchRequest('#!/bin/sh\n'), context));
      const folder = join(cloud.root, 'machines', id);
      const read = (name: string): string => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
      await until('it is being made', () => read('answer.new').includes('apply_start'), patienceMs);
      const timer = read('timeout.pid').trim();
      const runner = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${timer}/status`, 'utf8'))?.[1];
      // As when the service that they are of is stopped.
      for (const group of [runner, timer, read('tool.pid')]) process.kill(-Number(group), signal);
      await become(connector, id, 'error');
      rmSync(join(cloud.machines, 'slow'));
      const outcome = (): Promise<unknown> =>
        connector.terminate([id], context).then(
          ([result]) => result?.gone,
          (error: unknown) => error,
        );
      const refused = { code: 'conflict', message: expect.stringMatching(/killed while it made it.* delete .*\/killed$/) };
      expect(await until('it is refused or gone', outcome, patienceMs)).toMatchObject(refused);
      expect(cloud.made()).toEqual([]);
      rmSync(join(folder, 'killed'));
      await until('it is gone', async () => (await outcome()) === true, patienceMs);
    },
  );

  test('a module that is none is no machine, and ends without the tool', async () => {
    const cloud = openCloud('difficult');
    writeFileSync(join(cloud.module, 'main.tf'), 'terraform {\n  backend "s3" {}\n}\nmodule "x" {\n  source = "../elsewhere"\n}\n');
    const connector = open(cloud.settings);
    const { id } = first(await connector.launch(launchRequest('#!/bin/sh\n'), context));
    expect((await become(connector, id, 'error')).fault).toMatch(/^The module cannot be made ready: /);
    await end(connector, [id]);
    rmSync(join(cloud.module, 'main.tf'));
    await expect(connector.launch(launchRequest('#!/bin/sh\n'), context)).rejects.toMatchObject({ code: 'invalid' });
  });
});

test('secrets that are not there are missed before anything is made', async () => {
  const cloud = openCloud('difficult', { secrets: { key: 'PACELINE_NO_KEY' }, binary: process.execPath });
  await expect(open(cloud.settings).probe(context)).rejects.toMatchObject({
    code: 'auth',
    message: 'The environment variable PACELINE_NO_KEY, which holds key, is not set',
  });
  await expect(open({ ...cloud.settings, binary: 'no-such-tool' }).probe(context)).rejects.toMatchObject({
    code: 'unsupported',
    message: 'There is no no-such-tool here',
  });
  expect(() => connectorModule.createConnector({ root: '/x' })).toThrow(/^The configuration of a terraform cloud is wrong/);
});

test('complaints are short, and without secrets', () => {
  const line = JSON.stringify({ '@level': 'error', diagnostic: { severity: 'error', summary: 'Boom', detail: 'it was\n  hunter22' } });
  expect(complaintOf(`{"@level":"info"}\n${line}\n`, ['hunter22'])).toBe('Boom: it was ***');
  expect(complaintOf('', [])).toBe('the tool does not say why');
  expect(complaintOf('x'.repeat(2000), [])).toHaveLength(501);
  expect(isCapacity('Error: InsufficientInstanceCapacity: We currently do not have …')).toBe(true);
  expect(isCapacity('Error: no such image')).toBe(false);
});

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name), 'latin1').includes(text))
    .map(({ name }) => name);
}
