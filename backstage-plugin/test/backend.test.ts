import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { onBehalfOfHeader, type AuditEntry, type Client, type CreatedRun } from '@paceline/api';
import { diskFiles, loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import {
  coreServices,
  createServiceFactory,
  type AuditorServiceCreateEventOptions,
  type SchedulerServiceTaskInvocationDefinition,
} from '@backstage/backend-plugin-api';
import { mockCredentials, mockServices, type TestBackend } from '@backstage/backend-test-utils';
import { eventsServiceRef } from '@backstage/plugin-events-node';
import type { NotificationSendOptions } from '@backstage/plugin-notifications-node';
import { AuthorizeResult, type PolicyDecision } from '@backstage/plugin-permission-common';
import { runConditions } from '@paceline/backstage-plugin-backend';
import { entityTag, imageBuildPermission, ownerTag, runReadPermission, runTerminatePermission } from '@paceline/backstage-plugin-common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository, System } from '../../test/support/system.ts';
import { until } from '../../test/support/until.ts';
import { backendOver, clientOf as clientAt } from './backend-over.ts';

const shop = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Component',
  metadata: { name: 'shop', namespace: 'default' },
  relations: [{ type: 'ownedBy', targetRef: 'group:default/sellers' }],
};

/** Alice may do everything; Bob with his own runs and those of the sellers, and others may only look; the rest may do nothing. */
function decide(user: string, permission: { name: string; resourceType?: string }): PolicyDecision {
  if (user === 'user:default/alice') return { result: AuthorizeResult.ALLOW };
  if (user === 'user:default/bob' && permission.resourceType !== undefined) {
    const conditions = runConditions.isRunOwner({ claims: [user, 'group:default/sellers'] });
    return { result: AuthorizeResult.CONDITIONAL, pluginId: 'paceline', resourceType: permission.resourceType, conditions };
  }
  const carolMayNot = [runTerminatePermission.name, imageBuildPermission.name];
  if (user === 'user:default/carol' && !carolMayNot.includes(permission.name)) return { result: AuthorizeResult.ALLOW };
  if (user === 'user:default/erin' && permission.name === runReadPermission.name) return { result: AuthorizeResult.ALLOW };
  if (user === 'user:default/frank' && permission.name === imageBuildPermission.name) return { result: AuthorizeResult.ALLOW };
  return { result: AuthorizeResult.DENY };
}
let system: System;
let backend: TestBackend;
let example: ResolvedDeployment;
const published: { topic: string; eventPayload: unknown }[] = [];
const notified: NotificationSendOptions[] = [];
const audited: { options: AuditorServiceCreateEventOptions; outcome: string }[] = [];
const scheduled: SchedulerServiceTaskInvocationDefinition[] = [];

beforeAll(async () => {
  system = await System.start();
  example = (await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository })).deployment;
  backend = await backendOver(system, {
    decide,
    config: { project: 'shop', reap: { frequency: { hours: 1 }, timeout: { minutes: 1 } } },
    entities: { entities: [shop] },
    notified,
    features: [
      createServiceFactory({
        service: coreServices.auditor,
        deps: {},
        factory: () => ({
          createEvent: async (options) => ({
            success: async () => void audited.push({ options, outcome: 'success' }),
            fail: async () => void audited.push({ options, outcome: 'failure' }),
          }),
        }),
      }),
      mockServices.scheduler.mock({ scheduleTask: async (task) => void scheduled.push(task) }).factory,
      createServiceFactory({
        service: eventsServiceRef,
        deps: {},
        factory: () => ({ publish: async (event) => void published.push(event), subscribe: async () => {} }),
      }),
    ],
  });
});
afterAll(async () => {
  await backend?.stop();
  await system?.close();
});

const clientOf = (user: string): Client => clientAt(backend, user);

describe('the back end', () => {
  it('starts a run in the name of a user, shows it live, and ends it', async () => {
    const alice = clientOf('alice');
    const { run, token } = await alice.runs.create({ deployment: example, parameters: { clients: '1' } });
    // It would open the run without this Backstage.
    expect(token).toBe('');
    expect(run).toMatchObject({ createdBy: 'user:default/alice via backstage', project: 'shop' });
    const states: string[] = [];
    for await (const { type, data } of alice.followEvents(run.id)) {
      if (type === 'state') states.push(String(data['to'] ?? data['state']));
      if ((await alice.runs.get(run.id)).state === 'Ready') break;
    }
    expect((await alice.logs(run.id)).map(({ text }) => text).join('')).toContain('Hello from the web server');
    const [report] = await alice.reports.list(run.id);
    const bytes: Uint8Array[] = [];
    for await (const piece of alice.reports.download(run.id, report?.name ?? '')) bytes.push(piece);
    expect(Buffer.concat(bytes).length).toBe(report?.bytes);
    await alice.runs.terminate(run.id);
    await system.run(run.id).reaches('Done');
    expect(JSON.stringify(await system.run(run.id).events())).toContain('by user:default/alice via backstage');
  });

  it('tells whoever has started a run what has become of it, once, and publishes it', async () => {
    const alice = clientOf('alice');
    const { run } = await alice.runs.create({ deployment: example, parameters: { clients: '1' } });
    await until(() => expect(notified.filter(({ payload }) => payload.link?.includes(run.id))).toHaveLength(1));
    expect(notified.find(({ payload }) => payload.link?.includes(run.id))).toMatchObject({
      recipients: { type: 'entity', entityRef: 'user:default/alice' },
      payload: { title: 'client-server is ready', severity: 'normal' },
    });
    await alice.runs.terminate(run.id);
    await until(() =>
      expect(published.map(({ topic, eventPayload }) => [topic, eventPayload])).toContainEqual([
        'paceline.run',
        expect.objectContaining({ id: run.id, state: 'Done', starter: 'user:default/alice' }),
      ]),
    );
  });

  it('tells the auditor of every change, and of those that come to nothing', async () => {
    const alice = clientOf('alice');
    const { run } = await alice.runs.create({ deployment: example, parameters: { clients: '1' } });
    await alice.runs.get(run.id);
    await expect(alice.runs.scale(run.id, { node: 'nothing', count: 2 })).rejects.toThrow(/./);
    await alice.runs.terminate(run.id);
    const told = audited.filter(({ options }) => JSON.stringify(options.meta).includes(run.id));
    expect(
      told.map(
        ({ options, outcome }) => `${options.eventId} ${JSON.stringify(options.meta?.['path'] ?? options.meta?.['deployment'])} ${outcome}`,
      ),
    ).toEqual([
      'run-change "client-server" success',
      `run-change "/api/runs/${run.id}/scale" failure`,
      `run-change "/api/runs/${run.id}" success`,
    ]);
  });

  it('has the clouds reaped by the scheduler', async () => {
    const [task] = scheduled;
    expect(task?.id).toBe('paceline-reap');
    await task?.fn(new AbortController().signal);
    const { entries } = await system.call<{ entries: AuditEntry[] }>('GET', '/api/audit');
    expect(entries[0]).toMatchObject({ actor: 'backstage', operation: 'reap', status: 200 });
  });

  it('shows and lets be changed what the policy allows, by owner and by entity', async () => {
    const [alice, bob, carol, dave] = [clientOf('alice'), clientOf('bob'), clientOf('carol'), clientOf('dave')];
    const tags = [entityTag('component:default/shop'), ownerTag('user:default/dave')];
    const { run: sellers } = await alice.runs.create({ deployment: example, parameters: { clients: '1' }, tags });
    const { run: alices } = await alice.runs.create({ deployment: example, parameters: { clients: '1' }, name: 'of-alice' });
    // Who owns it is said by the catalog and by nobody else.
    expect(sellers.tags).toEqual([entityTag('component:default/shop'), ownerTag('group:default/sellers')]);
    expect((await bob.runs.list()).map(({ id }) => id)).toEqual([sellers.id]);
    await expect(bob.runs.get(alices.id)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    await expect(bob.runs.get('of-alice')).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    await expect(bob.logs(alices.id)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    await expect(bob.runs.create({ deployment: example })).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });
    await expect(carol.runs.terminate(sellers.id)).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });
    expect((await carol.runs.list({ active: true })).length).toBeGreaterThanOrEqual(2);
    expect(await dave.runs.list()).toEqual([]);
    await expect(dave.modules.list()).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });

    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { run } of bob.followRuns({ signal: stop.signal })) seen.push(run.id);
    })();
    await alice.runs.terminate(alices.id);
    await system.run(alices.id).reaches('Done', 'Cancelled');
    await bob.runs.terminate(sellers.id);
    await until(() => expect(seen).toContain(sellers.id));
    stop.abort();
    await following;
    expect(seen).not.toContain(alices.id);
  });

  it('builds images for nobody without that permission, and has no runs in another project', async () => {
    const [alice, carol] = [clientOf('alice'), clientOf('carol')];
    const image = (await loadModule('examples/client-server/web', { fs: diskFiles(), cwd: repository })).deployment;
    await expect(carol.images.build({ deployment: image })).rejects.toMatchObject({
      code: 'PACELINE_FORBIDDEN',
      message: expect.stringContaining(imageBuildPermission.name),
    });
    await expect(alice.runs.create({ deployment: example, project: 'another' })).rejects.toMatchObject({
      code: 'PACELINE_FORBIDDEN',
      message: expect.stringContaining('shop'),
    });
  });

  it('has nothing of other projects, and builds images for its own', async () => {
    const [alice, frank] = [clientOf('alice'), clientOf('frank')];
    const body = { deployment: example, parameters: { clients: '1' }, project: 'another', name: 'elsewhere' };
    const { id } = (await system.call<CreatedRun>('POST', '/api/runs', body)).run;
    for (const text of [id, 'elsewhere']) {
      await expect(alice.runs.get(text)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND', message: `You have no run ${text}` });
      await expect(alice.runs.terminate(text)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    }
    expect((await alice.runs.list()).map((run) => run.id)).not.toContain(id);
    await until(async () => expect(JSON.stringify(await system.call('GET', '/api/usage'))).toContain('"another"'));
    expect((await alice.usage()).projects.filter(({ project }) => project !== 'shop')).toEqual([]);
    await system.run(id).down();

    const fs = memoryFiles({
      '/p/image.yaml': JSON.stringify({
        apiVersion: 'paceline.dev/v1',
        kind: 'Image',
        metadata: { name: 'slow' },
        spec: { scripts: { postInstall: '#!/bin/sh\nss-get --timeout 600 never\n' }, parameters: { never: {} } },
      }),
    });
    const { deployment } = await loadModule('/p/image.yaml', { fs });
    for (const project of ['another', '*']) {
      await expect(alice.images.build({ deployment, cloud: 'local', project })).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });
    }
    const { run } = await alice.images.build({ deployment, cloud: 'local' });
    expect(run).toMatchObject({ project: 'shop', createdBy: 'user:default/alice via backstage' });
    // Whoever may not see runs of others learns that it is being built, and no more.
    expect(await frank.images.build({ deployment, cloud: 'local' })).toEqual({ image: null, run: null, joined: true });
    await alice.runs.terminate(run?.id ?? '');
    await system.run(run?.id ?? '').reaches('Cancelled', 'Aborted');
  });

  it('takes names and beginnings of ids for runs that one may see, and says nothing of others', async () => {
    const [alice, bob] = [clientOf('alice'), clientOf('bob')];
    const alike = { deployment: example, parameters: { clients: '1' }, name: 'alike' };
    const { run: seen } = await alice.runs.create({ ...alike, tags: [entityTag('component:default/shop')] });
    const { run: newer } = await alice.runs.create(alike);
    expect((await bob.runs.get('alike')).id).toBe(seen.id);
    expect((await alice.runs.get('alike')).id).toBe(newer.id);
    expect((await bob.runs.get(seen.id.slice(0, 13))).id).toBe(seen.id);
    for (const text of [newer.id, newer.id.slice(0, 13), 'nothing']) {
      await expect(bob.runs.get(text)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND', message: `You have no run ${text}` });
    }
    expect((await bob.runs.list({ tag: entityTag('component:default/shop'), text: 'alike' })).map(({ id }) => id)).toEqual([seen.id]);
    for (const { id } of [seen, newer]) await system.run(id).down();
  });

  it('believes nobody else of whom a run is', async () => {
    await system.call('PUT', '/api/users/mallory');
    await system.call('PUT', '/api/users/mallory/grants/shop', { role: 'deployer' });
    const { token } = await system.call<{ token: string }>('POST', '/api/tokens', { title: 'a test', user: 'mallory' });
    const forged = { deployment: example, parameters: { clients: '1' }, name: 'you have won', tags: [ownerTag('user:default/bob')] };
    const headers = { authorization: `Bearer ${token}`, [onBehalfOfHeader]: 'user:default/bob' };
    const { id } = (await system.call<CreatedRun>('POST', '/api/runs', { ...forged, project: 'shop' }, headers)).run;
    await system.run(id).reaches('Ready');
    await expect(clientOf('bob').runs.get(id)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    // A run of hers that is ready later has been told of when this one would have been.
    const { run } = await clientOf('alice').runs.create({ deployment: example, parameters: { clients: '1' } });
    await until(() => expect(notified.some(({ payload }) => payload.link?.includes(run.id))).toBe(true));
    expect(notified.some(({ payload }) => payload.link?.includes(id))).toBe(false);
    for (const each of [id, run.id]) await system.run(each).down();
  });

  it('tells whoever has started a run that it was aborted', async () => {
    const { deployment } = await loadModule('examples/scripts-fail', { fs: diskFiles(), cwd: repository });
    const { run } = await clientOf('alice').runs.create({ deployment, name: 'bound to fail' });
    const ofRun = (): NotificationSendOptions[] => notified.filter(({ payload }) => payload.link === `/paceline/runs/${run.id}`);
    await until(() => expect(ofRun()).toHaveLength(1));
    expect(ofRun()).toMatchObject([
      { recipients: { entityRef: 'user:default/alice' }, payload: { title: 'bound to fail was aborted', severity: 'high' } },
    ]);
  });

  it('reveals secrets only to whoever could set them', async () => {
    const [alice, erin] = [clientOf('alice'), clientOf('erin')];
    const { run } = await alice.runs.create({ deployment: example, parameters: { clients: '1' } });
    const { key } = (await erin.parameters.list(run.id))[0] ?? { key: '' };
    expect(await erin.parameters.get(run.id, key)).toMatchObject({ key });
    await expect(erin.parameters.get(run.id, key, { reveal: true })).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });
    expect(await alice.parameters.get(run.id, key, { reveal: true })).toMatchObject({ key });
    const at = `http://localhost:${backend.server.port()}/api/paceline/api/runs/${run.id}/parameters/${encodeURIComponent(key)}`;
    const headers = { authorization: mockCredentials.user.header('user:default/erin') };
    const answers = ['reveal=false', 'reveal=1', 'reveal=yes', 'reveal=on', 'reveal=TRUE', 'reveal=false&reveal=true'].map(
      async (query) => (await fetch(`${at}?${query}`, { headers })).status,
    );
    expect(await Promise.all(answers)).toEqual([200, 403, 403, 403, 403, 403]);
    await alice.runs.terminate(run.id);
    await system.run(run.id).reaches('Done', 'Cancelled');
  });

  it('hands on nothing but what it knows, and nothing to whoever is not logged in', async () => {
    const at = `http://localhost:${backend.server.port()}/api/paceline`;
    const headers = { authorization: mockCredentials.user.header('user:default/alice') };
    for (const path of ['/api/users', '/api/tokens', '/api/reap', '/api/session', '/agent/stream']) {
      expect((await fetch(at + path, { headers })).status, path).toBe(404);
    }
    // As `fetch` would not ask it.
    for (const name of ['.', '..']) {
      const path = `/api/paceline/api/modules/${name.replaceAll('.', '%2e')}`;
      const asked = request({ port: backend.server.port(), path, headers }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      expect(answer.resume().statusCode, path).toBe(404);
    }
    expect((await fetch(`${at}/api/runs`, { headers: { authorization: mockCredentials.none.header() } })).status).toBe(401);
    await expect(clientOf('alice').runs.create({ deployment: {} as ResolvedDeployment })).rejects.toMatchObject({
      code: 'PACELINE_REQUEST_INVALID',
    });
  });
});
