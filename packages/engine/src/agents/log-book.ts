import type { Op } from '@paceline/api/agent';
import { PacelineError } from '@paceline/model';
import { getOrMake } from '../run/get-or-make.ts';
import type { LogChunk } from '../run/log.ts';
import type { RunStore } from '../store/run-store.ts';

type Output = Extract<Op, { op: 'log' }>;

/** What a store keeps of one instance's output, in bytes: an agent sends at most 10 MiB of a step's stream. */
export const maxOutputBytes = 256 * 1024 * 1024;
/** Each step has two: many more than that come from no recipe. */
const mostSources = 500;
/** What a stored piece costs beside its text, in bytes. */
const pieceBytes = 100;

interface Sources {
  /** The first byte of each that is not stored. */
  readonly ends: Map<string, number>;
  /** What all of them cost in the store, in bytes: an agent may say anything of the size of what it sends. */
  cost: number;
}

/** Knows how much of each source's output is stored, so that what an agent sends again is not stored again, nor too much of it. */
export class LogBook {
  readonly #instances = new Map<string, Sources>();
  readonly #maxBytes: number;
  #lastSeq = 0;

  /** @param maxBytes what is kept of one instance's output */
  constructor(maxBytes = maxOutputBytes) {
    this.#maxBytes = maxBytes;
  }

  /** @param store where the ends of a run that goes on are read from */
  static async open(store: Pick<RunStore, 'logEnds'>, run: string, maxBytes?: number): Promise<LogBook> {
    const book = new LogBook(maxBytes);
    for (const { instance, source, end, lastSeq, pieces, size } of await store.logEnds(run)) {
      const sources = book.#of(instance);
      sources.ends.set(source, end);
      sources.cost += size + pieces * pieceBytes;
      book.#lastSeq = Math.max(book.#lastSeq, lastSeq);
    }
    return book;
  }

  endsOf(instance: string): Record<string, number> {
    return Object.fromEntries(this.#instances.get(instance)?.ends ?? []);
  }

  /**
   * The chunk to store, or nothing when all of it is stored already, or as much of the instance's output as is kept.
   * @throws PACELINE_TOO_LARGE when an instance has more sources of output than any recipe
   */
  accept(instance: string, op: Output, now: number): LogChunk | undefined {
    const sources = this.#of(instance);
    const end = sources.ends.get(op.source) ?? 0;
    if (op.bytes === 0 || op.offset < end || sources.cost > this.#maxBytes) return undefined;
    if (!sources.ends.has(op.source) && sources.ends.size >= mostSources) {
      throw new PacelineError('PACELINE_TOO_LARGE', `${instance} has more than ${mostSources} sources of output`);
    }
    sources.ends.set(op.source, op.offset + op.bytes);
    sources.cost += Buffer.byteLength(op.text) + pieceBytes;
    this.#lastSeq += 1;
    const at = Date.parse(op.at);
    const isLast = sources.cost > this.#maxBytes;
    return {
      seq: this.#lastSeq,
      instance,
      source: op.source,
      stream: op.stream,
      start: op.offset,
      bytes: op.bytes,
      at: Number.isNaN(at) ? now : at,
      text: isLast ? `${op.text}\n[${instance} prints more; only the first ${this.#maxBytes / 1024 / 1024} MiB are kept]\n` : op.text,
    };
  }

  #of(instance: string): Sources {
    return getOrMake(this.#instances, instance, () => ({ ends: new Map<string, number>(), cost: 0 }));
  }
}
