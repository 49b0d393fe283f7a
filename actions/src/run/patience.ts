import { info } from '@actions/core';
import { isPassing } from '@paceline/api';
import { setTimeout as pauseFor } from 'node:timers/promises';

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/**
 * Asks a server again that cannot be reached or has too much to do, until there is no time left. What is asked has to do no harm twice.
 * @param deadline by `performance.now()`
 * @param pause waits for so many milliseconds
 * @throws what it was answered at last
 */
export async function patiently<T>(ask: () => Promise<T>, deadline: number, pause: (ms: number) => Promise<void> = pauseFor): Promise<T> {
  for (let wait = firstPauseMs; ; wait = Math.min(2 * wait, longestPauseMs)) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || performance.now() + wait > deadline) throw error;
      if (wait === firstPauseMs) info(`${error.message}. It is asked again.`);
    }
    // Many jobs that lose one server should not come back in step.
    await pause(wait * (0.5 + Math.random() / 2));
  }
}
