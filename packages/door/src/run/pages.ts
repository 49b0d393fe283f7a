import type { Page } from '@paceline/api';

const pageSize = 1000;

/** All items of a numbered list that a server gives page by page. */
export async function* pages<T extends { seq: number }>(read: (page: Page) => Promise<T[]>): AsyncGenerator<T[], void> {
  let after = 0;
  for (;;) {
    const page = await read({ after, limit: pageSize });
    if (page.length === 0) return;
    yield page;
    after = page.at(-1)?.seq ?? after;
  }
}

/** The items one by one. */
export async function* items<T extends { seq: number }>(read: (page: Page) => Promise<T[]>): AsyncGenerator<T, void> {
  for await (const page of pages(read)) yield* page;
}
