/**
 * Followers of a growing list, such as a run's events. A follower reads what is stored from its cursor on and then gets every new
 * item once, in order; one that is too slow reads from the store again instead of filling memory.
 */
export class Feed<T extends { seq: number }> {
  readonly #followers = new Set<() => void>();
  readonly #read: (after: number, limit: number) => Promise<T[]>;
  readonly #pageSize: number;
  readonly #told: () => void;
  #ended = false;
  #failure: Error | undefined;

  /**
   * @param pageSize the most items that are read at once
   * @param told called whenever the followers are told
   */
  constructor(read: (after: number, limit: number) => Promise<T[]>, pageSize: number, told: () => void = () => {}) {
    this.#read = read;
    this.#told = told;
    this.#pageSize = pageSize;
  }

  /** Something new is stored. */
  notify(): void {
    this.#told();
    for (const wake of this.#followers) wake();
  }

  /** Nothing new will come. */
  end(): void {
    this.#ended = true;
    this.notify();
  }

  /** Nothing can be told any more: everybody who follows gets this error. */
  fail(cause: unknown): void {
    this.#failure = new Error('what is followed cannot be read', { cause });
    this.notify();
  }

  /** All items after the cursor, then the new ones as they come, until the signal is aborted or the feed ends. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<T[]> {
    let cursor = after;
    let wake = (): void => {};
    let fresh = true;
    const notify = (): void => {
      fresh = true;
      wake();
    };
    this.#followers.add(notify);
    signal.addEventListener('abort', notify);
    try {
      while (!signal.aborted) {
        if (this.#failure !== undefined) throw this.#failure;
        if (fresh) {
          fresh = false;
          const items = await this.#read(cursor, this.#pageSize);
          if (items.length > 0) {
            cursor = items.at(-1)?.seq ?? cursor;
            // What comes while this page is being read, or handed on, is told.
            if (items.length === this.#pageSize) fresh = true;
            yield items;
          }
          continue;
        }
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (fresh || signal.aborted) resolve();
        });
      }
    } finally {
      this.#followers.delete(notify);
      signal.removeEventListener('abort', notify);
    }
  }
}
