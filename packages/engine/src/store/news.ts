/** What replicas tell each other: in which runs something has happened, and that there are runs to take. */
export interface News {
  runs?: string[] | 'all';
  released?: boolean;
}

/** Notifications have to be short: more runs than this are not named. */
const mostNamed = 150;

/** The notification that tells it. */
export function newsOf({ runs, ...rest }: News): string {
  return JSON.stringify({ ...rest, ...(runs === undefined ? {} : { runs: runs.length > mostNamed ? 'all' : runs }) } satisfies News);
}

/** Whoever may use the database may send anything: what makes no sense is taken as a reason to look at everything. */
export function readNews(payload: string): News {
  try {
    const news = JSON.parse(payload) as Record<string, unknown> | null;
    const runs = news?.['runs'];
    if (Array.isArray(runs)) return { runs: runs.map(String) };
    if (runs === undefined && news?.['released'] === true) return { released: true };
  } catch {}
  return { runs: 'all', released: true };
}
