import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of this host, if it has one: `apt-get install chromium`. */
export const browserPath = candidates.find((path) => existsSync(path));

export function openBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error('There is no Chromium on this host');
  // Without a sandbox of its own it also runs as root, and in containers.
  return chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** What the rules of WCAG 2.2 AA find wrong with a page, as one line for each kind of mistake. @param within a selector: only there */
export async function mistakesOf(page: Page, within = 'html'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (part): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(part, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
    within,
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`.slice(0, 600));
}

/** The same in light and in dark colours, one line for each kind of mistake in each. Leaves the page in the light. */
export async function mistakesInBothThemes(page: Page, within = 'html'): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await mistakesOf(page, within)).map((mistake) => `${colorScheme}: ${mistake}`));
  }
  return found;
}
