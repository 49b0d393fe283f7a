import type { Op } from '@paceline/api/agent';
import { PacelineError } from '@paceline/model';
import type { LogChunk } from '../run/log.ts';
import type { RunStore } from '../store/run-store.ts';
import { getOrMake } from '../run/get-or-make.ts';

/** Each step has two: many more than that come from no recipe. */
const mostSources = 500;

/** Knows how much of each source's output is stored, so that what an agent sends again is not stored again. */
export class LogBook {
  readonly #ends = new Map<string, Map<string, number>>();
  #lastSeq = 0;

  /** @param store where the ends of a run that goes on are read from */
  static async open(store: RunStore, run: string): Promise<LogBook> {
    const book = new LogBook();
    for (const { instance, source, end, lastSeq } of await store.logEnds(run)) {
      getOrMake(book.#ends, instance, () => new Map<string, number>()).set(source, end);
      book.#lastSeq = Math.max(book.#lastSeq, lastSeq);
    }
    return book;
  }

  endsOf(instance: string): Record<string, number> {
    return Object.fromEntries(this.#ends.get(instance) ?? []);
  }

  /**
   * The chunk to store, or nothing when all of it is stored already.
   * @throws PACELINE_TOO_LARGE when an instance has more sources of output than any recipe
   */
  accept(instance: string, op: Extract<Op, { op: 'log' }>, now: number): LogChunk | undefined {
    const ends = getOrMake(this.#ends, instance, () => new Map<string, number>());
    const end = ends.get(op.source) ?? 0;
    if (!ends.has(op.source) && ends.size >= mostSources) {
      throw new PacelineError('PACELINE_TOO_LARGE', `${instance} has more than ${mostSources} sources of output`);
    }
    if (op.offset < end) return undefined;
    ends.set(op.source, op.offset + op.bytes);
    this.#lastSeq += 1;
    const at = Date.parse(op.at);
    return {
      seq: this.#lastSeq,
      instance,
      source: op.source,
      stream: op.stream,
      start: op.offset,
      bytes: op.bytes,
      at: Number.isNaN(at) ? now : at,
      text: op.text,
    };
  }
}
