/** How many calls are made to a server at a time. */
const width = 8;

/** Does something with each, a few at a time. Each has been tried when this resolves; nothing is thrown. */
export async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of left) {
      [results[at] as PromiseSettledResult<R>] = await Promise.allSettled([work(item)]);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

/** The values. @throws the first failure */
export function valuesOf<R>(results: readonly PromiseSettledResult<R>[]): R[] {
  return results.map((result) => {
    if (result.status === 'rejected') {
      throw result.reason;
    }
    return result.value;
  });
}
