import type { RunEvent } from '@paceline/engine';
import type { Checks } from './checks.ts';

/** Somebody who follows the events of a run. */
export interface Followed {
  readonly run: string;
  /** The number of the last event that came. */
  cursor: number;
}

/** Every follower gets every event once, in order, as it is stored. */
export class FeedChecks {
  readonly #checks: Checks;
  readonly #followers: Followed[] = [];

  constructor(checks: Checks) {
    this.#checks = checks;
  }

  following(run: string): Followed {
    const follower = { run, cursor: 0 };
    this.#followers.push(follower);
    return follower;
  }

  /** An event has come. */
  came(follower: Followed, event: RunEvent): void {
    const { run, cursor } = follower;
    follower.cursor = event.seq;
    if (event.seq !== cursor + 1)
      return this.#checks.fail('followers get every event once, in order', `${event.seq} after ${cursor} of ${run}`);
    const stored = this.#checks.runOf(run)?.events[event.seq - 1];
    if (stored !== JSON.stringify(event)) this.#checks.fail('followers get what is stored', `${JSON.stringify(event)}, not ${stored}`);
  }

  finish(): void {
    for (const { run, cursor } of this.#followers) {
      const length = this.#checks.runOf(run)?.events.length ?? 0;
      if (cursor !== length) this.#checks.fail('followers get every event', `of ${run} came ${cursor} of ${length}`);
    }
  }
}
