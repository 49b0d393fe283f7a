import assert from 'node:assert/strict';
import { diskFiles, loadModule } from '@paceline/model';
import { browserPath, openBrowser } from '../browser/browser.ts';
import { repository, System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { ms, quantile, type Figure } from './table.ts';

const rounds = 5;

/** The page of a run with many machines: from a click until it can be used, and from typing until the list has followed. Nothing without a browser. */
export async function dashboard(machines: number): Promise<Figure[]> {
  if (browserPath === undefined) return [];
  const system = await System.start();
  const browser = await openBrowser();
  try {
    const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
    const { web } = deployment.nodes;
    assert.ok(web !== undefined);
    const run = await system.up({ ...deployment, parameters: {}, nodes: { web: { ...web, multiplicity: machines } } }, {}, 'light');
    await until(async () => assert.equal((await run.detail()).instances.filter(({ machineId }) => machineId !== null).length, machines));
    const page = await browser.newPage();
    await page.goto(system.url);
    await page.getByLabel('Token').fill(system.token);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: deployment.name }).waitFor();
    const opened: number[] = [];
    const searched: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      await page.goto(`${system.url}/runs/${run.id}`);
      await page.getByText(`${machines} of ${machines}`).waitFor();
      opened.push(performance.now() - begun);
      const typed = performance.now();
      await page.getByLabel('Search').fill('web.77');
      await page
        .getByText(new RegExp(`^\\d+ of ${machines}$`))
        .filter({ hasNotText: `${machines} of ${machines}` })
        .waitFor();
      searched.push(performance.now() - typed);
    }
    const limit = 'the server tells of every machine, and the browser on shared cores draws one cell for each';
    return [
      {
        metric: `page of a run of ${machines} machines, from the address until it can be used`,
        value: ms(quantile(opened, 0.5), 0),
        limit,
      },
      { metric: `search among ${machines} machines`, value: ms(quantile(searched, 0.5), 0), limit: 'the browser' },
    ];
  } finally {
    await browser.close();
    await system.close();
  }
}
