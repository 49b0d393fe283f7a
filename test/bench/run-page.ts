import type { Page } from 'playwright-core';
import { ms, quantile, type Figure } from './table.ts';

const rounds = 5;

/**
 * Measures the page of a run with many machines: until something is painted, until it can be used, and from typing until the list
 * has followed.
 * @param host whose page it is
 * @param address of the page, for somebody who has logged in already
 */
export async function measureRunPage(page: Page, host: string, address: string, machines: number): Promise<Figure[]> {
  const painted: number[] = [];
  const opened: number[] = [];
  const searched: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await page.goto(address);
    await page.getByText(`${machines} of ${machines}`).waitFor();
    opened.push(performance.now() - begun);
    painted.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN));
    const typed = performance.now();
    await page.locator('.pl').getByLabel('Search').fill('web.77');
    await page
      .getByText(new RegExp(`^\\d+ of ${machines}$`))
      .filter({ hasNotText: `${machines} of ${machines}` })
      .waitFor();
    searched.push(performance.now() - typed);
  }
  const figure = (what: string, values: number[], limit: string): Figure => ({
    metric: `${what}, a run of ${machines} machines in ${host}`,
    value: ms(quantile(values, 0.5), 0),
    limit,
  });
  return [
    figure('first paint of the page', painted, 'the script that the browser reads first'),
    figure('from the address until it can be used', opened, 'the server tells of every machine, and the browser draws one cell for each'),
    figure('search', searched, 'the browser'),
  ];
}
