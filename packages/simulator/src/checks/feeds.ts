import type { RunEvent } from '@paceline/engine';
import type { Kernel } from '../kernel/kernel.ts';
import type { Process } from '../kernel/process.ts';
import type { Checks } from './checks.ts';
import type { StoredChange } from './stored.ts';

/** Somebody who follows the events of a run. */
export interface Followed {
  readonly run: string;
  /** The number of the last event that came. */
  cursor: number;
}

/** One connection of a follower, as the engine process at its end has it. */
export interface Feed {
  readonly process: Process;
  readonly run: string;
  /** The number of the last event that was sent. */
  sent: number;
  open: boolean;
}

/** After this time in which nothing hindered it an engine has told what is stored, in milliseconds of its own time. */
const boundMs = 40_000;

/** Every follower gets every event once, in order, as it is stored. */
export class FeedChecks {
  readonly #checks: Checks;
  readonly #followers: Followed[] = [];
  readonly #kernel: Kernel;
  readonly #feeds = new Set<Feed>();
  /** Until when processes cannot reach the database, or could not, in milliseconds since the beginning. */
  readonly #cutOff = new Map<Process, number>();

  constructor(checks: Checks, kernel: Kernel) {
    this.#checks = checks;
    this.#kernel = kernel;
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

  /** An engine begins to tell a follower what happens after an event. */
  opened(process: Process, run: string, after: number): Feed {
    const feed = { process, run, sent: after, open: true };
    this.#feeds.add(feed);
    this.#expect(feed);
    return feed;
  }

  closed(feed: Feed): void {
    feed.open = false;
    this.#feeds.delete(feed);
  }

  /** A process cannot read what it should tell. @param until in milliseconds since the beginning */
  cutOff(process: Process, until: number): void {
    this.#cutOff.set(process, until);
  }

  stored({ run, events }: StoredChange): void {
    if (events.length > 0) for (const feed of this.#feeds) if (feed.run === run.id) this.#expect(feed);
  }

  finish(): void {
    for (const { run, cursor } of this.#followers) {
      const length = this.#checks.runOf(run)?.events.length ?? 0;
      if (cursor !== length) this.#checks.fail('followers get every event', `of ${run} came ${cursor} of ${length}`);
    }
  }

  /** All that is stored by now has to have been sent after a while. */
  #expect(feed: Feed): void {
    const { process, run } = feed;
    const length = this.#checks.runOf(run)?.events.length ?? 0;
    if (feed.sent >= length) return;
    process.after(boundMs, () => {
      if (!feed.open || feed.sent >= length) return;
      const readableMs = this.#kernel.elapsed - (this.#cutOff.get(process) ?? Number.NEGATIVE_INFINITY);
      if (Math.min(process.awakeMs, readableMs) < boundMs) this.#expect(feed);
      else this.#checks.fail('who follows is told in time', `${process.name} has sent ${feed.sent} of ${length} of ${run}`);
    });
  }
}
