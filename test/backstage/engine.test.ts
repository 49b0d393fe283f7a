import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client } from '@paceline/api';
import { diskFiles, loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, startBackstage, type Backstage } from '../../backstage-plugin/dev/backstage.ts';
import { processesWith } from '../support/processes.ts';
import { repository } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Visitor } from './visitor.ts';

/** Prints what it should keep to itself. */
async function sealed(): Promise<ResolvedDeployment> {
  const module = (kind: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name: 'sealed' }, spec });
  const deploy = '#!/bin/sh\nlicense=$(ss-get license)\necho "it is $license"\nss-set length ${#license}\n';
  const files = {
    '/p/image.yaml': module('Image', { parameters: { license: { type: 'password' }, length: { output: true } }, scripts: { deploy } }),
    '/p/deployment.yaml': module('Deployment', {
      parameters: { license: { type: 'password', required: true } },
      nodes: { one: { image: './image.yaml', parameters: { license: '${{ parameters.license }}' } } },
    }),
  };
  return (await loadModule('/p/deployment.yaml', { fs: memoryFiles(files) })).deployment;
}

const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/;

describe.skipIf(!isInstalled)('a real Backstage with the engine in its back end (to install it: npm ci --prefix backstage-plugin)', () => {
  let folder = '';
  let backstage: Backstage;
  let engine: Client;
  let log = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paceline-backstage-engine-'));
    const [state, clouds] = [join(folder, 'state'), join(folder, 'clouds.yaml')];
    await writeFile(clouds, `clouds: { local: { connector: local, root: ${JSON.stringify(join(folder, 'local'))} } }\n`);
    backstage = await startBackstage({ paceline: { state, clouds }, port: 0, log: (text) => (log += text) });
    const token = (await readFile(join(state, 'operator.token'), 'utf8')).trim();
    engine = createClient({ url: `${backstage.url}/api/paceline/engine`, token });
    const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
    await engine.modules.publish({ deployment });
  }, 240_000);
  afterAll(async () => {
    await backstage?.stop();
    await until(() => assert.deepEqual(processesWith(`${folder}/local/`), []), 15_000, 50);
    await rm(folder, { recursive: true, force: true });
    // What agents and the engine prove themselves with is in no log.
    expect(log).not.toMatch(/pl[oatr]_/);
  }, 60_000);

  it('takes secrets of a task to the machines, and shows them nowhere on the way', async () => {
    const secret = 'a-licence-that-nobody-may-see';
    await engine.modules.publish({ deployment: await sealed() });
    const guest = await Visitor.guest(backstage.url);
    await guest.entity('template/default/run-sealed');
    // The form sends stars in its place.
    const task = await guest.begin('run-sealed', { runName: 'with-a-secret', license: '********' }, { license: secret });
    const ended = await guest.end(task);
    expect(ended.status, ended.log.join('\n')).toBe('completed');
    const { id } = await engine.runs.get('with-a-secret');
    // It was there, and the machine has printed it.
    expect((await engine.parameters.get(id, 'one.1:length')).value).toBe(String(secret.length));
    expect(ended.log.join('\n')).toMatch(/one\.1 \| it is \*+/);
    const seen = {
      log: ended,
      task: await guest.ask('GET', `/scaffolder/v2/tasks/${task}`),
      taskEvents: await guest.ask('GET', `/scaffolder/v2/tasks/${task}/events`),
      run: await engine.runs.get(id),
      events: await engine.events(id),
      logs: await engine.logs(id),
      parameters: await engine.parameters.list(id),
      shown: await guest.ask('GET', `/paceline/api/runs/${id}/parameters`),
      backEnd: log,
    };
    for (const [where, what] of Object.entries(seen)) expect(JSON.stringify(what), where).not.toContain(secret);
    await engine.runs.terminate(id);
    await until(async () => assert.equal((await engine.runs.get(id)).state, 'Done'));
  }, 200_000);

  it('brings a deployment up from a template to a run that is ready, and takes it down again', async () => {
    const guest = await Visitor.guest(backstage.url);
    await guest.entity('template/default/test-a-component');
    const started = await guest.execute('test-a-component', { component: 'component:default/shop', clients: 1 });
    expect(started.status, started.log.join('\n')).toBe('completed');
    expect(started.log.join('\n')).toContain('client.1 | Hello from the web server');
    const [id = ''] = uuid.exec(started.log.find((line) => line.includes('Run ')) ?? '') ?? [];
    const run = await engine.runs.get(id);
    expect(run).toMatchObject({
      state: 'Ready',
      createdBy: 'user:development/guest via backstage',
      tags: ['entity:component:default/shop', 'owner:group:default/sellers'],
    });
    // Machines have come through Backstage, and each keeps a connection for both ways.
    expect(log).toContain('"GET /api/paceline/engine/agent/files/');
    expect(log).not.toContain('"GET /api/paceline/engine/agent/stream');
    // Backstage compresses what it answers, and what is told at once must not wait until there is enough of it.
    const told = AbortSignal.timeout(30_000);
    for await (const { seq } of engine.followEvents(id, { signal: told })) if (seq === run.lastEvent) break;
    expect(told.aborted).toBe(false);
    const ended = await guest.execute('end-a-run', { run: id });
    expect(ended.status, ended.log.join('\n')).toBe('completed');
    expect(await engine.runs.get(id)).toMatchObject({ state: 'Done' });
  }, 200_000);
});
