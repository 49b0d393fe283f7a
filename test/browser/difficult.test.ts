import { join } from 'node:path';
import { diskFiles, loadModule, type ResolvedDeployment } from '@paceline/model';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository, System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { browserPath, mistakesInBothThemes, openBrowser } from './browser.ts';

/** With `PICTURES=FOLDER` there is something to look at. */
const pictures = process.env['PICTURES'];
const phone = { width: 360, height: 740 };
const slow = { timeout: 120_000 };

describe.skipIf(browserPath === undefined)('pages of what is difficult to show (needs Chromium: apt-get install chromium)', () => {
  let system: System;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    system = await System.start();
    browser = await openBrowser();
    page = await browser.newPage({ locale: 'en-GB' });
    page.setDefaultTimeout(60_000);
    await page.goto(system.url);
    await page.getByLabel('Token').fill(system.token);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  const example = async (name: string): Promise<ResolvedDeployment> =>
    (await loadModule(`examples/${name}`, { fs: diskFiles(), cwd: repository })).deployment;

  /** Opens a page on a phone and on a desk: nothing is wider than the screen, and nobody is shut out. */
  async function look(path: string, name: string): Promise<void> {
    for (const [where, size] of [
      ['phone', phone],
      ['desk', { width: 1200, height: 800 }],
    ] as const) {
      await page.setViewportSize(size);
      await page.goto(system.url + path);
      await page.locator('main h1, main .pl-nothing').first().waitFor();
      await page.getByText('Loading').waitFor({ state: 'detached' });
      await page
        .locator('main .pl-words')
        .waitFor({ timeout: name === 'failed' ? 60_000 : 1 })
        .catch(() => {});
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}-${where}.png`), fullPage: true });
      const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(over, `${path} is too wide for a ${where}`).toBeLessThanOrEqual(0);
      expect(await mistakesInBothThemes(page), `${path} on a ${where}`).toEqual([]);
    }
  }

  it('says what to do where there is nothing yet', slow, async () => {
    await look('/runs', 'no-runs');
    expect(await page.getByText('There are no runs yet').count()).toBe(1);
    await look('/apps', 'no-apps');
    expect(await page.getByText('Nothing has been published yet').count()).toBe(1);
    await look('/runs/nothing-of-that-name', 'no-such-run');
    expect(await page.getByRole('alert').textContent()).toContain('nothing-of-that-name');
  });

  it('says why a run has failed, and what its script wrote last', slow, async () => {
    const run = await system.up(await example('scripts-fail'), {});
    await run.reaches('Aborted');
    await look(`/runs/${run.id}`, 'failed');
    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toMatch(/Abort: .*broken\.1/);
    expect(await alert.locator('pre').textContent()).toMatch(/\S/);
    await look('/runs', 'runs');
  });

  it('has room for long names', slow, async () => {
    const deployment = await example('client-server');
    const name = `a-run-with-${'a-very-long-name-'.repeat(5)}`.slice(0, 100);
    const { run } = await system.call<{ run: { id: string } }>('POST', '/api/runs', {
      deployment: { ...deployment, parameters: {} },
      name,
      cloud: 'local',
      tags: ['x'.repeat(100), 'entity:component:default/shop'],
      parameters: { 'client:multiplicity': '1' },
    });
    await system.run(run.id).reaches('Ready');
    const long = 'no-spaces-in-this-message-'.repeat(12);
    await system.run(run.id).set('client.1:statecustom', long);
    await until(async () => expect(JSON.stringify(await system.run(run.id).detail())).toContain(long));
    await look(`/runs/${run.id}`, 'long-names');
    await look('/runs', 'long-runs');
    await system.run(run.id).down();
  });

  it('shows a node without machines', slow, async () => {
    const deployment = await example('load-balanced');
    const nodes = Object.keys(deployment.nodes);
    const { run } = await system.call<{ run: { id: string } }>('POST', '/api/runs', {
      deployment,
      cloud: 'local',
      parameters: Object.fromEntries(nodes.slice(1).map((node) => [`${node}:multiplicity`, '0'])),
    });
    await system.run(run.id).reaches('Executing');
    await look(`/runs/${run.id}`, 'no-machines');
    expect(await page.locator('.pl-node h2', { hasText: '× 0' }).count()).toBe(nodes.length - 1);
    await system.run(run.id).down();
  });
});
