import type { RunDetail } from '@paceline/api';
import { diskFiles, loadModule } from '@paceline/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, startBackstage, type Backstage } from '../../backstage-plugin/dev/backstage.ts';
import { repository, System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Visitor } from './visitor.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/;

describe.skipIf(!isInstalled)('a real Backstage (to install it: npm ci --prefix backstage-plugin)', () => {
  let system: System;
  let backstage: Backstage;
  let guest: Visitor;
  let log = '';

  beforeAll(async () => {
    system = await System.start();
    for (const example of ['client-server', 'load-balanced']) {
      const { deployment } = await loadModule(`examples/${example}`, { fs: diskFiles(), cwd: repository });
      await system.call('POST', '/api/modules', { deployment });
    }
    await system.call('PUT', '/api/users/backstage');
    await system.call('PUT', '/api/users/backstage/grants/*', { role: 'operator' });
    const { token } = await system.call<{ token: string }>('POST', '/api/tokens', { title: 'a test', user: 'backstage' });
    backstage = await startBackstage({ paceline: { url: system.url, token }, port: 0, log: (text) => (log += text) });
    guest = await Visitor.guest(backstage.url);
  }, 240_000);
  afterAll(async () => {
    await backstage?.stop();
    await system?.close();
    // What was given to Backstage for itself is in no log.
    expect(log).not.toMatch(/plt_|plo_/);
  }, 60_000);

  it('has what was published in its catalog, and a template of it', async () => {
    const resource = await guest.entity('resource/default/client-server');
    expect(resource).toMatchObject({
      metadata: { title: 'A web server and its clients', annotations: { 'paceline.dev/version': '1' } },
      spec: { type: 'paceline-deployment', owner: 'group:default/platform' },
    });
    const template = await guest.entity('template/default/run-client-server');
    expect(template).toMatchObject({
      spec: { parameters: [{ properties: { clients: { type: 'integer', default: 2, minimum: 1 } } }] },
    });
    await until(
      async () =>
        expect(await guest.entity('component/default/shop')).toMatchObject({
          relations: expect.arrayContaining([{ type: 'dependsOn', targetRef: 'resource:default/client-server' }]),
        }),
      60_000,
      200,
    );
  }, 120_000);

  it('brings a deployment up from a template to a run that is ready, and takes it down again', async () => {
    await guest.entity('template/default/test-a-component');
    const started = await guest.execute('test-a-component', { component: 'component:default/shop', clients: 1 });
    expect(started.status, started.log.join('\n')).toBe('completed');
    expect(started.log.join('\n')).toContain('client.1 | Hello from the web server');
    const [id = ''] = uuid.exec(started.log.find((line) => line.includes('Run ')) ?? '') ?? [];
    const run = await system.call<RunDetail>('GET', `/api/runs/${id}`);
    expect(run).toMatchObject({
      name: 'Test of shop',
      state: 'Ready',
      createdBy: 'user:development/guest via backstage',
      tags: ['entity:component:default/shop', 'owner:group:default/sellers'],
    });
    const ended = await guest.execute('end-a-run', { run: id });
    expect(ended.status, ended.log.join('\n')).toBe('completed');
    expect(await system.call<RunDetail>('GET', `/api/runs/${id}`)).toMatchObject({ state: 'Done' });
  }, 200_000);

  it('asks for the parameters of a deployment with a template that is made of it', async () => {
    await guest.entity('template/default/run-client-server');
    const { status, log: lines } = await guest.execute('run-client-server', { runName: 'by-itself', clients: 2 });
    expect(status, lines.join('\n')).toBe('completed');
    const run = await system.call<RunDetail>('GET', '/api/runs/by-itself');
    expect(run.instances.map(({ name }) => name)).toEqual(['web.1', 'client.1', 'client.2']);
    await system.run(run.id).down();
    await system.run(run.id).reaches('Done');
  }, 200_000);

  it('only says what it would do in a dry run', async () => {
    const template = await guest.entity('template/default/run-client-server');
    const before = (await system.call<{ runs: unknown[] }>('GET', '/api/runs')).runs.length;
    const { log: lines } = await guest.ask<{ log: { body: { message: string } }[] }>('POST', '/scaffolder/v2/dry-run', {
      template,
      values: { runName: 'not-at-all', clients: 1 },
      directoryContents: [],
    });
    expect(lines.map(({ body }) => body.message).join('\n')).toContain('client-server@1 would be started, with the nodes web, client');
    expect((await system.call<{ runs: unknown[] }>('GET', '/api/runs')).runs).toHaveLength(before);
  }, 120_000);

  it('notifies whoever has started a run', async () => {
    await until(async () => {
      const { notifications } = await guest.ask<{ notifications: { payload: { title: string } }[] }>('GET', '/notifications');
      expect(notifications.map(({ payload }) => payload.title)).toContain('by-itself is ready');
    });
  });
});
