import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { repository } from '../support/system.ts';

/** With `SCREENSHOTS=1` the pictures of the documentation are taken anew. */
const images = process.env['SCREENSHOTS'] === '1' ? join(repository, 'docs/images') : undefined;

/** Somebody in front of Backstage, who has come in as a guest. */
export class Visit {
  readonly page: Page;
  /** What went wrong in the page, in its own words. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #url: string;

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.page = page;
    this.#context = context;
    this.#url = url;
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  static async begin(browser: Browser, url: string): Promise<Visit> {
    const context = await browser.newContext({ viewport: { width: 1300, height: 850 }, locale: 'en-GB', colorScheme: 'light' });
    // Its script has some megabytes, which a busy host takes its time to read.
    context.setDefaultTimeout(60_000);
    context.setDefaultNavigationTimeout(120_000);
    const visit = new Visit(context, await context.newPage(), url);
    await visit.page.goto(url);
    await visit.page.getByRole('button', { name: 'Enter' }).click();
    await visit.page.getByRole('link', { name: 'Paceline', exact: true }).waitFor();
    return visit;
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.#url + path);
  }

  async picture(name: string): Promise<void> {
    if (images !== undefined) await this.page.screenshot({ path: join(images, `${name}.png`) });
  }

  async end(): Promise<void> {
    await this.#context.close();
  }
}
