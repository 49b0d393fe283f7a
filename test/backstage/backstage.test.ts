import type { CreatedRun, RunDetail } from '@paceline/api';
import { diskFiles, loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, startBackstage, type Backstage } from '../../backstage-plugin/dev/backstage.ts';
import { oldSystem } from '../../backstage-plugin/dev/app-server.ts';
import { browserPath, mistakesOf, openBrowser } from '../browser/browser.ts';
import { enter, tabTo, type } from '../browser/keyboard.ts';
import { repository, System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Visit } from './pages.ts';
import { Visitor } from './visitor.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/;

describe.skipIf(!isInstalled)('a real Backstage (to install it: npm ci --prefix backstage-plugin)', () => {
  let system: System;
  let backstage: Backstage;
  let guest: Visitor;
  let example: ResolvedDeployment | undefined;
  let log = '';

  beforeAll(async () => {
    system = await System.start();
    for (const name of ['client-server', 'load-balanced']) {
      const { deployment } = await loadModule(`examples/${name}`, { fs: diskFiles(), cwd: repository });
      await system.call('POST', '/api/modules', { deployment });
      example ??= deployment;
    }
    await system.call('PUT', '/api/users/backstage');
    await system.call('PUT', '/api/users/backstage/grants/*', { role: 'operator' });
    const { token } = await system.call<{ token: string }>('POST', '/api/tokens', { title: 'a test', user: 'backstage' });
    const forBrowsers = browserPath === undefined ? {} : { appPort: 0 };
    backstage = await startBackstage({ paceline: { url: system.url, token }, port: 0, ...forBrowsers, log: (text) => (log += text) });
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

  it('asks for the parameters of a deployment with a template that is made of it, and notifies whoever has run it', async () => {
    await guest.entity('template/default/run-client-server');
    const { status, log: lines } = await guest.execute('run-client-server', { runName: 'by-itself', clients: 2 });
    expect(status, lines.join('\n')).toBe('completed');
    const run = await system.call<RunDetail>('GET', '/api/runs/by-itself');
    expect(run.instances.map(({ name }) => name)).toEqual(['web.1', 'client.1', 'client.2']);
    await until(async () => {
      const { notifications } = await guest.ask<{ notifications: { payload: { title: string } }[] }>('GET', '/notifications');
      expect(notifications.map(({ payload }) => payload.title)).toContain('by-itself is ready');
    });
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

  describe.skipIf(browserPath === undefined)('in a browser (needs Chromium: apt-get install chromium)', () => {
    const slow = { timeout: 200_000 };
    let browser: Browser;
    let visit: Visit;
    beforeAll(async () => {
      browser = await openBrowser();
      visit = await Visit.begin(browser, backstage.appUrl);
    }, 300_000);
    afterAll(async () => {
      await visit?.end();
      await browser?.close();
    });

    it('goes from the form of a template to a run, its reports, and its end', slow, async () => {
      const { page } = visit;
      await visit.open('/create/templates/default/run-client-server');
      await page.getByLabel('clients').fill('3');
      await page.getByLabel('Name of the run').fill('from-the-form');
      await visit.picture('backstage-template');
      await page.getByRole('button', { name: 'Review' }).click();
      await page.getByRole('button', { name: 'Create' }).click();
      await page.getByRole('link', { name: 'The run' }).waitFor();
      await visit.picture('backstage-task');
      await page.getByRole('link', { name: 'The run' }).click();

      await page.getByRole('heading', { name: 'from-the-form' }).waitFor();
      await page.locator('.pl header .pl-badge', { hasText: 'Ready' }).waitFor();
      await page.getByRole('img', { name: '3 complete' }).waitFor();
      expect(await mistakesOf(page, '.pl')).toEqual([]);
      await visit.picture('backstage-run');
      await page.getByRole('tab', { name: 'Logs' }).click();
      await page.getByText('Hello from the web server').first().waitFor();
      await page.getByRole('tab', { name: 'Reports' }).click();
      await page.getByRole('button', { name: 'Look into it' }).first().click();
      await page.locator('.pl-files summary').first().click();
      await page.locator('.pl-files pre').first().waitFor();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page
          .getByRole('button', { name: /^Download/ })
          .first()
          .click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/_report_.*\.tgz$/);
      await page.getByRole('button', { name: 'Terminate' }).click();
      await page.getByRole('button', { name: 'Yes' }).click();
      await page.locator('.pl header .pl-badge', { hasText: 'Done' }).waitFor();
      expect(visit.complaints).toEqual([]);
    });

    it('needs no mouse from the form of a template to the end of the run', slow, async () => {
      const { page } = visit;
      await visit.open('/create/templates/default/run-client-server');
      await type(page, page.getByLabel('Name of the run'), 'by-keyboard');
      await type(page, page.getByLabel('clients'), '1');
      await enter(page, page.getByRole('button', { name: 'Review' }));
      await enter(page, page.getByRole('button', { name: 'Create' }));
      await enter(page, page.getByRole('link', { name: 'The run' }));
      await page.locator('.pl header .pl-badge', { hasText: 'Ready' }).waitFor();
      await tabTo(page, page.getByRole('tab', { name: 'Overview' }));
      await page.keyboard.press('End');
      await enter(page, page.getByRole('button', { name: 'Look into it' }).first());
      await page.locator('.pl-files summary').first().waitFor();
      await enter(page, page.getByRole('button', { name: 'Terminate' }));
      await enter(page, page.getByRole('button', { name: 'Yes' }));
      await page.locator('.pl header .pl-badge', { hasText: 'Done' }).waitFor();
      expect(visit.complaints).toEqual([]);
    });

    it('starts a run of an entity in its tab, shows it live there and on its card', slow, async () => {
      const { page } = visit;
      await visit.open('/catalog/default/component/shop');
      await page.getByRole('heading', { name: 'Shop' }).waitFor();
      await page
        .getByRole('tab', { name: 'Runs' })
        .or(page.getByRole('link', { name: 'Runs' }))
        .first()
        .click();
      await page.getByLabel('Name of the run').fill('of-the-shop');
      expect(await mistakesOf(page, '.pl')).toEqual([]);
      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByRole('heading', { name: 'of-the-shop' }).waitFor();
      await page.locator('.pl header .pl-badge', { hasText: 'Ready' }).waitFor();
      await visit.open('/catalog/default/component/shop/paceline');
      await page.getByRole('row', { name: 'of-the-shop' }).getByText('Ready').waitFor();
      await visit.picture('backstage-entity');
      const run = system.run((await system.call<RunDetail>('GET', '/api/runs/of-the-shop')).id);
      await run.down();
      await page.getByRole('row', { name: 'of-the-shop' }).getByText('Done').waitFor();
      await visit.open('/catalog/default/component/shop');
      await page.locator('.plb-card').getByRole('link', { name: 'of-the-shop' }).waitFor();
      expect(visit.complaints).toEqual([]);
    });

    it('has the same pages and parts of entities in an application of the old front-end system', slow, async () => {
      if (example === undefined) throw new Error('nothing was published');
      const body = { deployment: example, parameters: { clients: '1' }, cloud: 'local', tags: ['entity:component:default/shop'] };
      const run = system.run((await system.call<CreatedRun>('POST', '/api/runs', body)).run.id);
      const { page } = visit;
      await visit.open(`${oldSystem}/paceline/runs/${run.id}`);
      await page.locator('.pl header .pl-badge', { hasText: 'Ready' }).waitFor();
      await page.getByRole('link', { name: 'App store' }).click();
      await page.getByRole('link', { name: 'A web server and its clients' }).click();
      await page.waitForURL(/\/old\/paceline\/apps\/client-server$/);
      await page.getByLabel('clients', { exact: true }).waitFor();
      expect(await mistakesOf(page, '.pl')).toEqual([]);
      await visit.open(`${oldSystem}/catalog/default/component/shop`);
      await page.locator('.plb-card').getByRole('link').first().click();
      await page.waitForURL(/\/old\/paceline\/runs\//);
      await visit.open(`${oldSystem}/catalog/default/component/shop/paceline`);
      await page.getByRole('heading', { name: 'Runs' }).waitFor();
      await page.getByRole('button', { name: 'Start' }).waitFor();
      expect(visit.complaints).toEqual([]);
      await run.down();
    });

    it('scales a run, opens its service, says how to get onto its machines, and takes an abort back', slow, async () => {
      const { page } = visit;
      const request = { deployment: example, parameters: { clients: '1' }, name: 'of-the-guest', scalable: true, keepRunning: 'always' };
      const { id } = (await guest.ask<CreatedRun>('POST', '/paceline/api/runs', request)).run;
      const run = system.run(id);
      await visit.open(`/paceline/runs/${id}`);
      await page.locator('.pl header .pl-badge', { hasText: 'Ready' }).waitFor();
      const { serviceUrl } = await run.detail();
      expect(await page.getByRole('link', { name: /^Open / }).getAttribute('href')).toBe(serviceUrl);
      const [service] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: /^Open / }).click()]);
      await service.waitForLoadState();
      expect(service.url()).toBe(new URL(serviceUrl ?? '').href);
      await service.close();

      await page.getByLabel('Scale', { exact: true }).getByRole('combobox').selectOption('client');
      await page.getByRole('spinbutton', { name: 'to' }).fill('2');
      await page.getByRole('button', { name: 'Scale' }).click();
      await page.getByRole('img', { name: '2 complete' }).waitFor();
      expect((await run.reaches('Ready')).instances.map(({ name }) => name)).toContain('client.2');

      await page
        .getByRole('button', { name: /client\.2/ })
        .first()
        .click();
      await page.getByText(`paceline ssh ${id} client.2`).waitFor();
      await page.getByRole('button', { name: 'Close' }).click();

      await guest.ask('POST', `/paceline/api/runs/${id}/abort`, { reason: 'by mistake' });
      await page.getByText('by mistake').first().waitFor();
      await page.getByRole('button', { name: 'Cancel the abort' }).click();
      await until(async () => expect((await run.detail()).abort).toBe(null));
      await page.getByRole('button', { name: 'Cancel the abort' }).waitFor({ state: 'detached' });
      expect(visit.complaints).toEqual([]);
      await run.down();
    });

    it('searches what machines print while they go on printing', slow, async () => {
      const { page } = visit;
      const deploy = '#!/bin/sh\nn=0\nuntil [ -n "$(ss-get --noblock stop)" ]; do n=$((n+1)); echo "line $n"; sleep 0.2; done\n';
      const module = (kind: string, spec: object): string =>
        JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name: 'prints' }, spec });
      const files = {
        '/p/image.yaml': module('Image', { parameters: { stop: {} }, scripts: { deploy } }),
        '/p/deployment.yaml': module('Deployment', { nodes: { one: { image: './image.yaml' } } }),
      };
      const { deployment } = await loadModule('/p/deployment.yaml', { fs: memoryFiles(files) });
      const run = await system.up(deployment);
      await visit.open(`/paceline/runs/${run.id}`);
      await page.getByRole('tab', { name: 'Logs' }).click();
      await page.locator('.pl-line', { hasText: 'line 1' }).first().waitFor();
      await page.getByRole('tabpanel').getByRole('searchbox').fill('5');
      await page.locator('.pl-line', { hasText: /line 15$/ }).waitFor();
      // It has come after it was searched for.
      await page.locator('.pl-line', { hasText: /line 25$/ }).waitFor();
      expect(await page.locator('.pl-line', { hasText: /line 4$/ }).count()).toBe(0);
      await run.set('one.1:stop', 'now');
      await run.reaches('Ready');
      expect(visit.complaints).toEqual([]);
      await run.down();
    });

    it('offers nothing that the policy does not allow', slow, async () => {
      const { page } = visit;
      if (example === undefined) throw new Error('nothing was published');
      const run = await system.up(example, { clients: '1' });
      await visit.open(`/paceline/runs/${run.id}`);
      await page.locator('.pl header .pl-badge', { hasText: 'Ready' }).waitFor();
      expect(await page.getByRole('button', { name: /terminate|scale/i }).count()).toBe(0);
      expect(await mistakesOf(page, '.pl')).toEqual([]);
      for (const mode of ['dark', 'light'] as const) {
        await page.emulateMedia({ colorScheme: mode });
        for (const path of ['/paceline', `/paceline/runs/${run.id}`, '/paceline/apps', '/paceline/clouds']) {
          await visit.open(path);
          await page.locator(`[data-theme-mode='${mode}'] .pl h1`).first().waitFor();
          expect(await mistakesOf(page, '.pl'), `${path} in ${mode} colours`).toEqual([]);
        }
      }
      await run.down();
    });
  });
});
