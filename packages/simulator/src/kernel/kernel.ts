import { Heap, type Timed } from './heap.ts';

interface Event extends Timed {
  act: (() => void) | undefined;
}

/** How a simulation stopped: somebody said so, nothing was left to happen, or it took more events or time than it may. */
export type Ending = 'stopped' | 'idle' | 'late' | 'busy';

export interface Limits {
  /** Milliseconds of virtual time, since the beginning. */
  ms: number;
  events: number;
}

/** Where virtual time begins, in milliseconds since 1970. */
const epoch = Date.UTC(2026, 0, 1);

/**
 * Virtual time. One event happens after the other, and between two of them all promises come to rest, so that what happens
 * depends on nothing but the order of the events.
 */
export class Kernel {
  readonly #events = new Heap<Event>();
  #now = 0;
  #order = 0;
  #stopped = false;
  #touched = false;
  /** How many events there were. */
  count = 0;

  /** Milliseconds since the beginning, with fractions. */
  get elapsed(): number {
    return this.#now;
  }

  /** Whole milliseconds since 1970. */
  get now(): number {
    return epoch + Math.floor(this.#now);
  }

  /** @returns what takes it back */
  after(ms: number, act: () => void): () => void {
    return this.at(this.#now + ms, act);
  }

  /** @param elapsed in milliseconds since the beginning; what is late happens now */
  at(elapsed: number, act: () => void): () => void {
    const event: Event = { at: Math.max(this.#now, elapsed), order: this.#order++, act };
    this.#events.push(event);
    return () => {
      event.act = undefined;
    };
  }

  /** Code with promises runs in this event: they have to come to rest before the next one. */
  touch(): void {
    this.#touched = true;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** @throws whatever an event throws */
  async run(limits: Limits): Promise<Ending> {
    const ended = Promise.withResolvers<Ending>();
    const turn = (): void => {
      try {
        const ending = this.#untilTouched(limits);
        if (ending === undefined) setImmediate(turn);
        else ended.resolve(ending);
      } catch (error) {
        ended.reject(error);
      }
    };
    setImmediate(turn);
    return ended.promise;
  }

  #untilTouched({ ms, events }: Limits): Ending | undefined {
    this.#touched = false;
    while (!this.#touched) {
      if (this.#stopped) return 'stopped';
      const event = this.#events.pop();
      if (event === undefined) return 'idle';
      if (event.act === undefined) continue;
      if (event.at > ms) return 'late';
      if (++this.count > events) return 'busy';
      this.#now = event.at;
      event.act();
    }
    return undefined;
  }
}
