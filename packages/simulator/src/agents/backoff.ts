import type { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';

const firstMs = 100;
const capMs = 15_000;

/** Growing delays with jitter, as the agent has them. */
export class Backoff {
  readonly #process: Process;
  readonly #random: Random;
  #count = 0;
  #wake = (): void => {};

  constructor(process: Process, random: Random) {
    this.#process = process;
    this.#random = random;
  }

  wait(): Promise<void> {
    const ms = Math.min(capMs, firstMs * 2 ** Math.min(this.#count++, 20));
    return new Promise((resolve) => {
      const cancel = this.#process.after(this.#random.between(ms / 2, ms), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** All is well again: start small next time, and end a wait that is under way. */
  reset(): void {
    this.#count = 0;
    this.#wake();
  }

  /** Ends a wait that is under way. */
  wake(): void {
    this.#wake();
  }
}
