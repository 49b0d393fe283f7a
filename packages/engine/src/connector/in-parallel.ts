import pLimit from 'p-limit';

/** What came of work on many things. */
export interface Outcomes<R> {
  /** In the order of the things. */
  values: R[];
  /** In the order in which they happened. */
  failures: Error[];
}

/**
 * Does the work on all, a few at once, and resolves when nothing of it goes on; it never rejects.
 * @param atOnce calls that are made to the cloud at a time @default 8
 * @param stop after the first failure nothing more is begun: for work in which what one meets the others will meet, such as a full quota
 */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  { atOnce = 8, stop = false }: { atOnce?: number; stop?: boolean } = {},
): Promise<Outcomes<R>> {
  const failures: Error[] = [];
  const attempt = async (item: T): Promise<R[]> => {
    if (stop && failures.length > 0) return [];
    try {
      return [await work(item)];
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
      return [];
    }
  };
  const limit = pLimit(atOnce);
  const values = await Promise.all(items.map((item) => limit(attempt, item)));
  return { values: values.flat(1), failures };
}

/** The values. @throws the first failure */
export function valuesOf<R>({ values, failures: [failure] }: Outcomes<R>): R[] {
  if (failure !== undefined) throw failure;
  return values;
}

/**
 * The values if there is one: a launch tells what could be had, so that the engine asks for the others alone.
 * @throws the first failure if there is none
 */
export function partOf<R>(outcomes: Outcomes<R>, log: { warn(message: string): void }): R[] {
  if (outcomes.values.length === 0) return valuesOf(outcomes);
  for (const failure of outcomes.failures) log.warn(failure.message);
  return outcomes.values;
}
