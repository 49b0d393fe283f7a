import type { Client, RunSummary } from '@paceline/api';

const pageSize = 500;
/** So many runs are looked through for somebody who may see few of them. */
const mostRuns = 20_000;

/** The newest runs of the server, page by page. @param left nobody waits for more @throws what the server says */
export async function* pagesOf(
  client: Pick<Client, 'runs'>,
  query: { active?: boolean; tag?: string; text?: string },
  left?: AbortSignal,
): AsyncGenerator<RunSummary[]> {
  for (let offset = 0; offset < mostRuns && left?.aborted !== true; offset += pageSize) {
    const page = await client.runs.list({ ...query, limit: pageSize, offset });
    yield page;
    if (page.length < pageSize) return;
  }
}
