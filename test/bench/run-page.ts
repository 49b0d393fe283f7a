import type { Page } from 'playwright-core';
import { ms, quantile, type Figure } from './table.ts';

const rounds = 5;

/**
 * Measures the page of a run with many machines: until something is painted, until it can be used, and from typing until the list
 * has followed, while nothing happens and while machines say something new all the time.
 * @param host whose page it is
 * @param address of the page, for somebody who has logged in already
 * @param change has one of the machines say something new
 */
export async function measureRunPage(
  page: Page,
  host: string,
  address: string,
  machines: number,
  change: (turn: number) => Promise<unknown>,
): Promise<Figure[]> {
  const painted: number[] = [];
  const opened: number[] = [];
  const searched: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await page.goto(address);
    await page.getByText(`${machines} of ${machines}`).waitFor();
    opened.push(performance.now() - begun);
    painted.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN));
    searched.push(await search(page, machines));
  }
  const stop = new AbortController();
  const changing = keepChanging(change, stop.signal);
  const disturbed: number[] = [];
  for (let round = 0; round < rounds; round++) disturbed.push(await search(page, machines));
  stop.abort();
  const changes = await changing;
  const figure = (what: string, values: number[], limit: string): Figure => ({
    metric: `${what}, a run of ${machines} machines in ${host}`,
    value: ms(quantile(values, 0.5), 0),
    limit,
  });
  return [
    figure('first paint of the page', painted, 'the script that the browser reads first'),
    figure('from the address until it can be used', opened, 'the server tells of every machine, and the browser draws one cell for each'),
    figure('search', searched, 'the browser'),
    figure(`search while ${Math.round(changes)} machines a second say something new`, disturbed, 'the browser draws the run anew'),
  ];
}

/** @returns the milliseconds from typing until the list has followed */
async function search(page: Page, machines: number): Promise<number> {
  const field = page.locator('.pl').getByLabel('Search');
  await field.fill('');
  await page.getByText(`${machines} of ${machines}`).waitFor();
  const typed = performance.now();
  await field.fill('web.77');
  await page
    .getByText(new RegExp(`^\\d+ of ${machines}$`))
    .filter({ hasNotText: `${machines} of ${machines}` })
    .waitFor();
  return performance.now() - typed;
}

/** @returns how many changes there were in a second */
async function keepChanging(change: (turn: number) => Promise<unknown>, signal: AbortSignal): Promise<number> {
  const begun = performance.now();
  let turn = 0;
  while (!signal.aborted) await change(turn++);
  return turn / ((performance.now() - begun) / 1000);
}
