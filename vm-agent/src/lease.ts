import type { Clock } from './clock.ts';

export interface LeaseOptions {
  /** Milliseconds since 1970. */
  expires: number;
  clock: Clock;
  onEnd: () => void;
  /** Milliseconds without the engine that are forgiven after the end: it may just be restarting. @default 60000 */
  grace?: number;
}

/** Watches that an instance does not outlive its run when nobody can tell it to go. */
export class Lease {
  readonly #options: Required<LeaseOptions>;
  #down: number | undefined;
  #timer: ReturnType<typeof setInterval>;

  constructor(options: LeaseOptions) {
    this.#options = { grace: 60_000, ...options };
    this.#down = options.clock.now();
    this.#timer = setInterval(() => this.check(), 10_000);
    this.#timer.unref();
  }

  up(): void {
    this.#down = undefined;
  }

  down(): void {
    this.#down ??= this.#options.clock.now();
  }

  check(): void {
    const { clock, expires, grace, onEnd } = this.#options;
    const now = clock.now();
    if (this.#down === undefined || now < expires || now - Math.max(this.#down, expires) < grace) return;
    this.stop();
    onEnd();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
