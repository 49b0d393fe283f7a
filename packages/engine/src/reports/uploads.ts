import type { Readable } from 'node:stream';
import { PacelineError } from '@paceline/model';

/** A part of a report on its way in. */
export interface Upload {
  /** What is still to come, in bytes. */
  left: number;
}

interface Entry extends Upload {
  body: Readable;
  over: PromiseWithResolvers<void>;
}

/** What is on its way in: of each sender one at a time, so that what it has sent is known when it sends more. */
export class Uploads {
  readonly #bySender = new Map<string, Entry>();

  /** What all of them together may still bring, in bytes. */
  get announced(): number {
    let sum = 0;
    for (const { left } of this.#bySender.values()) sum += left;
    return sum;
  }

  /**
   * Takes a body when the sender's last one is over. That one is cut off: whoever sends again has given it up, whatever TCP believes.
   * @throws PACELINE_CONFLICT when it is cut off itself
   */
  async take<T>(sender: string, body: Readable, receive: (upload: Upload) => Promise<T>): Promise<T> {
    const before = this.#bySender.get(sender);
    const entry: Entry = { left: 0, body, over: Promise.withResolvers() };
    this.#bySender.set(sender, entry);
    try {
      before?.body.destroy();
      await before?.over.promise;
      if (this.#bySender.get(sender) !== entry) throw overtaken(sender);
      return await receive(entry);
    } catch (error) {
      throw this.#bySender.get(sender) === entry ? error : overtaken(sender, error);
    } finally {
      if (this.#bySender.get(sender) === entry) this.#bySender.delete(sender);
      entry.over.resolve();
    }
  }
}

function overtaken(sender: string, cause?: unknown): PacelineError {
  return new PacelineError('PACELINE_CONFLICT', `${sender} has begun to send again meanwhile`, { cause });
}
