import { diskFiles, loadModule } from '@paceline/model';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository, System } from '../support/system.ts';
import { browserPath, openBrowser } from './browser.ts';
import { enter, tabTo, type } from './keyboard.ts';

describe.skipIf(browserPath === undefined)('the dashboard without a mouse (needs Chromium: apt-get install chromium)', () => {
  let system: System;
  let browser: Browser;
  beforeAll(async () => {
    system = await System.start();
    browser = await openBrowser();
    const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
    await system.call('POST', '/api/modules', { deployment });
  });
  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  it('leads from the login over a form to a run, its reports and its end', { timeout: 120_000 }, async () => {
    const page = await browser.newPage({ locale: 'en-GB' });
    page.setDefaultTimeout(60_000);
    await page.goto(system.url);
    await type(page, page.getByLabel('Token'), system.token);
    await page.keyboard.press('Enter');
    await enter(page, page.getByRole('link', { name: 'App store', exact: true }));
    await enter(page, page.getByRole('link', { name: 'A web server and its clients' }));
    await type(page, page.getByLabel('Name of the run'), 'by-keyboard');
    await type(page, page.getByLabel('clients', { exact: true }), '2');
    await enter(page, page.getByRole('button', { name: 'Start' }));

    await page.locator('header .pl-badge', { hasText: 'Ready' }).waitFor();
    await enter(page, page.getByRole('button', { name: /^web\.1/ }));
    await enter(page, page.getByRole('button', { name: 'Close' }));
    await tabTo(page, page.getByRole('tab', { name: 'Overview' }));
    await page.keyboard.press('End');
    await page.getByRole('tab', { name: 'Reports', selected: true }).waitFor();
    await enter(page, page.getByRole('button', { name: 'Look into it' }).first());
    const file = page.locator('.pl-files summary').first();
    await enter(page, file);
    await page.locator('.pl-files pre').first().waitFor();
    const download = page.waitForEvent('download');
    await enter(page, page.getByRole('button', { name: /^Download/ }).first());
    expect((await download).suggestedFilename()).toMatch(/_report_.*\.tgz$/);
    await enter(page, page.getByRole('button', { name: 'Terminate' }));
    await enter(page, page.getByRole('button', { name: 'No' }));
    // Whoever has said no is where they were.
    await page.keyboard.press('Enter');
    await enter(page, page.getByRole('button', { name: 'Yes' }));
    await page.locator('header .pl-badge', { hasText: 'Done' }).waitFor();
    await page.close();
  });
});
