import { setTimeout as delay } from 'node:timers/promises';

/** Tries until it does not throw, and gives up with the last reason after `timeoutMs`. */
export async function until<T>(attempt: () => T | Promise<T>, timeoutMs = 60_000, everyMs = 20): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(everyMs);
  }
}
