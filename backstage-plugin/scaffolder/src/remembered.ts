/** The context of an action. */
interface Remembering {
  /** Keeps what `fn` returns, so that an attempt that is made again does not call it again. */
  checkpoint<T extends boolean | object>(options: { key: string; fn: () => Promise<T> }): Promise<T>;
}

/** What an action has begun in this attempt or an earlier one. */
export interface Begun<T> {
  begun: T;
  /** It has failed: an attempt that is made after this begins something else. */
  over: () => Promise<void>;
}

const unmarked = new Error('It has not come to this');

/**
 * Begins something once: an attempt that is made because a back end has died goes on with it, and one that is made because it has
 * failed begins anew.
 */
export async function beginOnce<T extends object>(step: Remembering, name: string, begin: () => Promise<T>): Promise<Begun<T>> {
  let key = name;
  for (let failed = 1; await isMarked(step, overKey(key)); failed++) key = `${name}.${failed}`;
  return {
    begun: await step.checkpoint({ key, fn: begin }),
    over: async () => void (await step.checkpoint({ key: overKey(key), fn: async () => true })),
  };
}

const overKey = (key: string): string => `${key}.over`;

/** Whether an earlier attempt has come to a mark. A checkpoint can be read only by whoever is about to make it. */
async function isMarked(step: Remembering, key: string): Promise<boolean> {
  try {
    return await step.checkpoint<boolean>({ key, fn: () => Promise.reject(unmarked) });
  } catch (error) {
    if (error === unmarked) return false;
    throw error;
  }
}
