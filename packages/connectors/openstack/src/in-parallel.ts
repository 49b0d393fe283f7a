/** Calls that are made to a cloud at a time. */
const atOnce = 8;

/** Does the work on all, a few at once. @returns the failures: after the first nothing more is begun */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<Error[]> {
  const left = [...items];
  const failures: Error[] = [];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
        // Whatever it was, it will be the same for the others, or is better not made worse.
        left.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return failures;
}
