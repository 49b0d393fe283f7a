/**
 * A `fetch` for an engine that may die under us: it is brought to life again and asked again. Whatever may have been carried out
 * already is repeated only where repeating does no harm.
 * @param origin where the engine answers at first
 * @param revive finds the engine, or starts it again, and tells where it answers now
 */
export function engineFetch(
  origin: string,
  revive: () => Promise<string>,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): typeof globalThis.fetch {
  let present = origin;
  let reviving: Promise<void> | undefined;
  const again = (): Promise<void> =>
    (reviving ??= revive()
      .then((found) => void (present = found))
      .finally(() => (reviving = undefined)));
  return async (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    for (let attempt = 1; ; attempt++) {
      try {
        return await fetch(new URL(pathname + search, present), init);
      } catch (error) {
        const repeatable = init?.method !== 'POST' || wasRefused(error);
        if (init?.signal?.aborted || !repeatable || attempt === 3) throw error;
        await again();
      }
    }
  };
}

/** Nobody listens there: the request has not been sent. */
function wasRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ECONNREFUSED';
}
