import { setTimeout as pause } from 'node:timers/promises';

/** Waits for a condition; the answer is its first value that is neither undefined nor false. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`waited in vain for: ${what}`);
    }
    await pause(5);
  }
}
