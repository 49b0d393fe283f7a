import assert from 'node:assert/strict';
import { diskFiles, loadModule } from '@paceline/model';
import type { Browser } from 'playwright-core';
import { isInstalled, startBackstage } from '../../backstage-plugin/dev/backstage.ts';
import { Visit } from '../backstage/pages.ts';
import { browserPath, openBrowser } from '../browser/browser.ts';
import { repository, System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { measureRunPage } from './run-page.ts';
import type { Figure } from './table.ts';

/** The page of a run with many machines, in the dashboard and, where it is installed, in Backstage. Nothing without a browser. */
export async function dashboard(machines: number): Promise<Figure[]> {
  if (browserPath === undefined) return [];
  const system = await System.start();
  const browser = await openBrowser();
  try {
    const inDashboard = await ofDashboard(system, browser, machines);
    return isInstalled ? [...inDashboard, ...(await ofBackstage(system, browser, machines))] : inDashboard;
  } finally {
    await browser.close();
    await system.close();
  }
}

/** A run whose machines are there and say nothing by themselves; it lasts until it is found out that they never join. */
async function bringUp(system: System, machines: number): Promise<{ id: string; change: (turn: number) => Promise<unknown> }> {
  const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
  const { web } = deployment.nodes;
  assert.ok(web !== undefined);
  const run = await system.up({ ...deployment, parameters: {}, nodes: { web: { ...web, multiplicity: machines } } }, {}, 'light');
  await until(async () => assert.equal((await run.detail()).instances.filter(({ machineId }) => machineId !== null).length, machines));
  return { id: run.id, change: (turn) => run.set(`web.${1 + (turn % machines)}:statecustom`, `at ${turn}`) };
}

async function ofDashboard(system: System, browser: Browser, machines: number): Promise<Figure[]> {
  const page = await browser.newPage();
  await page.goto(system.url);
  await page.getByLabel('Token').fill(system.token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  const { id, change } = await bringUp(system, machines);
  return measureRunPage(page, 'the dashboard', `${system.url}/runs/${id}`, machines, change);
}

async function ofBackstage(system: System, browser: Browser, machines: number): Promise<Figure[]> {
  const { url, token } = system;
  const backstage = await startBackstage({ paceline: { url, token }, port: 0, appPort: 0, log: () => {} });
  try {
    const visit = await Visit.begin(browser, backstage.appUrl);
    const { id, change } = await bringUp(system, machines);
    return await measureRunPage(visit.page, 'Backstage', `${backstage.appUrl}/paceline/runs/${id}`, machines, change);
  } finally {
    await backstage.stop();
  }
}
