import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { diskFiles, loadModule, type ResolvedDeployment } from '@paceline/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository, System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { browserPath, mistakesInBothThemes, mistakesOf, openBrowser } from './browser.ts';

const slow = { timeout: 60_000 };
/** With `SCREENSHOTS=1` the pictures of the documentation are taken anew. */
const images = process.env['SCREENSHOTS'] === '1' ? join(repository, 'docs/images') : undefined;

describe.skipIf(browserPath === undefined)('the dashboard (needs Chromium: apt-get install chromium)', () => {
  let system: System;
  let browser: Browser;
  let example: ResolvedDeployment;
  const complaints: string[] = [];

  beforeAll(async () => {
    system = await System.start();
    browser = await openBrowser();
    example = (await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository })).deployment;
    await system.call('POST', '/api/modules', { deployment: example });
  });
  afterAll(async () => {
    await browser?.close();
    await system?.close();
  });

  const open = async (scheme: 'light' | 'dark' = 'light'): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 1200, height: 800 }, locale: 'en-GB' });
    const page = await context.newPage();
    page.on('console', (message) => {
      // Who is not logged in is told so, and browsers log that.
      if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(system.url);
    return { context, page };
  };
  const logIn = async (page: Page, token = system.token): Promise<void> => {
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
  };
  const picture = async (page: Page, name: string): Promise<void> => {
    if (images !== undefined) await page.screenshot({ path: join(images, `${name}.png`) });
  };

  it('goes from the form of a deployment to a run, its output and reports, and its end', slow, async () => {
    const { context, page } = await open();
    expect(await mistakesOf(page)).toEqual([]);
    await logIn(page);
    await page.getByRole('link', { name: 'App store', exact: true }).click();
    await page.getByRole('link', { name: 'A web server and its clients' }).waitFor();
    expect(await mistakesOf(page)).toEqual([]);
    await picture(page, 'app-store');
    await page.getByRole('link', { name: 'A web server and its clients' }).click();
    await page.getByLabel('clients', { exact: true }).fill('3');
    await page.getByLabel('Name of the run').fill('from-the-form');
    await page.getByRole('combobox', { name: /^Cloud/ }).selectOption('local');
    expect(await mistakesOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Start' }).click();

    await page.getByRole('heading', { name: 'from-the-form' }).waitFor();
    await page.locator('header .pl-badge', { hasText: 'Ready' }).waitFor();
    await page.getByRole('img', { name: '3 complete' }).waitFor();
    expect(await mistakesOf(page)).toEqual([]);
    await picture(page, 'run');

    await page.getByRole('button', { name: /^web\.1/ }).click();
    await page.getByRole('complementary', { name: 'web.1' }).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('tab', { name: 'Logs' }).click();
    await page.getByText('Hello from the web server').first().waitFor();
    await picture(page, 'logs');
    await page.getByLabel('Search').fill('hello FROM');
    await page.getByText('3 lines, live').waitFor();
    expect(await mistakesOf(page)).toEqual([]);

    await page.getByRole('tab', { name: 'Parameters' }).click();
    await page.getByText('url.service').first().waitFor();
    expect(await mistakesOf(page)).toEqual([]);

    await page.getByRole('tab', { name: 'Events' }).click();
    // The newest are first, and only those in sight are there.
    await page.getByLabel('Search').fill('created');
    await page.getByText('Created by operator').waitFor();
    expect(await mistakesOf(page)).toEqual([]);

    await page.getByRole('tab', { name: 'Reports' }).click();
    await page.getByRole('button', { name: 'Look into it' }).first().click();
    await page.locator('.pl-files summary').first().click();
    await page.locator('.pl-files pre').first().waitFor();
    expect(await mistakesOf(page)).toEqual([]);
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
    await page.locator('header .pl-badge', { hasText: 'Done' }).waitFor();
    await context.close();
    expect(complaints).toEqual([]);
  });

  it('shows in the list what happens elsewhere, at once, in the dark too', slow, async () => {
    const { context, page } = await open('dark');
    await logIn(page);
    const run = await system.up(example, { clients: '2' });
    const row = page.getByRole('row', { name: run.id.slice(0, 8) });
    await row.getByText('Ready').waitFor();
    expect(await mistakesOf(page)).toEqual([]);
    await picture(page, 'runs-dark');
    await row.getByRole('link').click();
    await page.getByRole('img', { name: '2 complete' }).waitFor();
    expect(await mistakesOf(page)).toEqual([]);
    await picture(page, 'run-dark');
    await run.down();
    await page.locator('header .pl-badge', { hasText: 'Done' }).waitFor();
    for (const name of ['Clouds', 'Access']) {
      await page.getByRole('link', { name }).click();
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await mistakesOf(page)).toEqual([]);
    }
    await context.close();
    expect(complaints).toEqual([]);
  });

  it('can be read by everybody on every page, in light and in dark colours', { timeout: 120_000 }, async () => {
    const { context, page } = await open();
    expect(await mistakesInBothThemes(page), 'login').toEqual([]);
    await logIn(page);
    const run = await system.up(example, { clients: '1' });
    await run.reaches('Ready');
    for (const path of ['/runs', '/apps', `/apps/${example.name}`, '/clouds', '/access', '/audit']) {
      await page.goto(system.url + path);
      await page.locator('main').getByText(/./).first().waitFor();
      await page.getByText('Loading').waitFor({ state: 'detached' });
      expect(await mistakesInBothThemes(page), path).toEqual([]);
    }
    await page.goto(`${system.url}/runs/${run.id}`);
    await page.getByRole('tab').first().waitFor();
    const tabs = await page.getByRole('tab').all();
    for (const tab of tabs) {
      await tab.click();
      await page.getByText('Loading').waitFor({ state: 'detached' });
      expect(await mistakesInBothThemes(page), await tab.innerText()).toEqual([]);
    }
    expect(tabs.length).toBeGreaterThanOrEqual(5);
    await context.close();
    await run.down();
    expect(complaints).toEqual([]);
  });

  it('tells operators who has asked for what, and what is left of quotas', slow, async () => {
    const { context, page } = await open();
    await logIn(page);
    await system.call('PUT', '/api/users/olga');
    await page.getByRole('link', { name: 'Audit' }).click();
    const row = page.getByRole('row', { name: /olga/ }).first();
    await row.getByText('add user').waitFor();
    await row.getByText('done').waitFor();
    await page.getByRole('link', { name: 'Clouds' }).click();
    await page.getByText('local, host').waitFor();
    await context.close();
    expect(complaints).toEqual([]);
  });

  it('asks for the project of a run where there is a choice', slow, async () => {
    await system.call('PUT', '/api/users/pia');
    for (const project of ['lab', 'shop']) await system.call('PUT', `/api/users/pia/grants/${project}`, { role: 'deployer' });
    const { token } = await system.call<{ token: string }>('POST', '/api/tokens', { title: 'a test', user: 'pia' });
    const { context, page } = await open();
    await logIn(page, token);
    expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await page.goto(`${system.url}/apps/${example.name}`);
    await page.getByLabel('Name of the run').fill('in-the-shop');
    await page.getByRole('combobox', { name: 'Project' }).selectOption('shop');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('heading', { name: 'in-the-shop' }).waitFor();
    const { id, project } = await system.call<{ id: string; project: string }>('GET', '/api/runs/in-the-shop');
    expect(project).toBe('shop');
    await context.close();
    await system.run(id).down();
  });

  it('keeps the token from scripts, and is left by logging out', slow, async () => {
    const { context, page } = await open();
    await page.getByLabel('Token').fill('plo_guess');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    await logIn(page);
    const [cookie] = await context.cookies();
    assert.ok(cookie !== undefined);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    const seen = await page.evaluate<string>('JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])');
    expect(seen).not.toMatch(/paceline|plo_/);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await context.cookies()).toEqual([]);
    await context.close();
  });

  it('offers a viewer nothing that only others may do', slow, async () => {
    await system.call('PUT', '/api/users/vera');
    await system.call('PUT', '/api/users/vera/grants/*', { role: 'viewer' });
    const { token } = await system.call<{ token: string }>('POST', '/api/tokens', { title: 'a test', user: 'vera' });
    const run = await system.up(example, { clients: '1' });
    const { context, page } = await open();
    await logIn(page, token);
    await page.goto(`${system.url}/runs/${run.id}`);
    await page.locator('header .pl-badge', { hasText: 'Ready' }).waitFor();
    expect(await page.getByRole('button', { name: /terminate|scale/i }).count()).toBe(0);
    await context.close();
    await run.down();
  });

  it('shows a run of a thousand machines, and can be used with the keyboard alone', slow, async () => {
    const run = await system.up(thousand(example), {}, 'light');
    await until(async () => expect((await run.detail()).instances.filter(({ machineId }) => machineId !== null).length).toBe(1000));
    const { context, page } = await open();
    await logIn(page);
    await page.getByRole('link', { name: 'thousand' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('1000 of 1000').waitFor();
    expect(await page.locator('.pl-instance').count()).toBeLessThan(60);
    await page.getByLabel('Search').fill('client.777');
    await page.getByText('1 of 1000').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'client.777' }).waitFor();
    await picture(page, 'thousand');
    expect(await mistakesOf(page)).toEqual([]);
    await context.close();
    await run.down();
  });
});

/** One node of a thousand machines. */
function thousand({ nodes, ...rest }: ResolvedDeployment): ResolvedDeployment {
  const { web } = nodes;
  assert.ok(web !== undefined);
  return { ...rest, name: 'thousand', parameters: {}, nodes: { client: { ...web, multiplicity: 1000 } } };
}
