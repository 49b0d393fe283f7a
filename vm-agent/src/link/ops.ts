import type { Op, OpResult } from '@paceline/api/agent';
import type { Backoff } from '../backoff.ts';
import { HttpError, isFinal } from './http.ts';

/** An op without its number, which it gets when it is first sent. */
export type OpDraft = Op extends infer O ? (O extends Op ? Omit<O, 'id'> : never) : never;

interface Entry {
  draft: OpDraft;
  numbered: boolean;
  id: number;
  size: number;
  resolve: (result: OpResult) => void;
}

export interface OpsOptions {
  post: (ops: Op[]) => Promise<OpResult[]>;
  backoff: Backoff;
  /** The engine will not have us any more. */
  onFinal: (error: HttpError) => void;
  /** @default 512 */
  maxOps?: number;
  /** Of one request, about; a single op may be longer. @default 512 KiB */
  maxBytes?: number;
}

const unnumbered = new Set<string>(['get', 'unwait', 'getAll', 'unwaitAll', 'log']);
const textLength = (draft: OpDraft): number => 200 + (draft.op === 'log' ? draft.text.length : draft.op === 'set' ? draft.value.length : 0);

/**
 * Everything the agent says, in order: one request at a time, what comes meanwhile goes into the next one. What got no answer is
 * sent again with its number until it has one. Output of scripts stands in a line of its own so that nothing waits behind it.
 */
export class OpsQueue {
  readonly #options: Required<OpsOptions>;
  readonly #control: Entry[] = [];
  readonly #logs: Entry[] = [];
  #last: number | undefined;
  #limit: number;
  #busy = false;
  #stopped = false;
  #room: (() => void)[] = [];
  /** Characters of output that wait or are under way. */
  logSize = 0;

  constructor(options: OpsOptions) {
    this.#options = { maxOps: 512, maxBytes: 512 * 1024, ...options };
    this.#limit = this.#options.maxOps;
  }

  /** Resolves with the engine's result; stays pending for as long as the engine is away. */
  send(draft: OpDraft): Promise<OpResult> {
    return new Promise((resolve) => {
      if (this.#stopped) return resolve(stoppedResult);
      const size = textLength(draft);
      const entry: Entry = { draft, numbered: !unnumbered.has(draft.op), id: 0, size, resolve };
      if (draft.op === 'log') {
        this.#logs.push(entry);
        this.logSize += size;
      } else this.#control.push(entry);
      void this.#pump();
    });
  }

  /** The engine's word on the last op that it carried out; nothing is sent before the first one. */
  hello(lastOp: number): void {
    // Never lower: it may have been said before the engine carried out what it has answered since.
    this.#last = Math.max(this.#last ?? 0, lastOp);
    this.#options.backoff.wake();
    void this.#pump();
  }

  /** Resolves when less than `size` characters of output wait. */
  async logRoom(size: number): Promise<void> {
    while (this.logSize > size && !this.#stopped) await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  /** Nothing is sent any more; what waits gets an error. */
  stop(): void {
    this.#stopped = true;
    for (const entry of [...this.#control.splice(0), ...this.#logs.splice(0)]) entry.resolve(stoppedResult);
    this.#wakeRoom();
    this.#options.backoff.wake();
  }

  async #pump(): Promise<void> {
    if (this.#busy || this.#stopped || this.#last === undefined) return;
    this.#busy = true;
    // What one turn of the event loop says goes into one request.
    await Promise.resolve();
    while (!this.#stopped && this.#control.length + this.#logs.length > 0) await this.#round();
    this.#busy = false;
  }

  async #round(): Promise<void> {
    const batch = this.#batch();
    for (const entry of batch) if (entry.numbered && entry.id === 0) entry.id = ++this.#last!;
    const { post, backoff, onFinal, maxOps } = this.#options;
    let asked = 0;
    try {
      const results = await post(batch.map(numberedOp));
      if (!Array.isArray(results) || results.length !== batch.length) throw new Error('as many results as ops were expected');
      this.#settle(batch, results);
      this.#limit = Math.min(maxOps, this.#limit * 2);
      backoff.reset();
      return;
    } catch (error) {
      if (this.#stopped) return;
      if (isFinal(error)) return onFinal(error);
      if (error instanceof HttpError) {
        asked = error.retryAfter;
        // One op that the engine cannot take must not hold up all others: find it by halves.
        if ([400, 413, 422].includes(error.status)) {
          if (batch.length === 1) return this.#refuse(batch, error);
          this.#limit = Math.max(1, Math.floor(batch.length / 2));
          return;
        }
      }
    }
    await backoff.wait(asked);
  }

  #batch(): Entry[] {
    const batch: Entry[] = [];
    let size = 0;
    for (const line of [this.#control, this.#logs])
      for (const entry of line) {
        if (batch.length > 0 && (batch.length >= this.#limit || size + entry.size > this.#options.maxBytes)) return batch;
        batch.push(entry);
        size += entry.size;
      }
    return batch;
  }

  #settle(batch: Entry[], results: OpResult[]): void {
    for (const [index, entry] of batch.entries()) {
      const line = entry.draft.op === 'log' ? this.#logs : this.#control;
      if (line[0] !== entry) continue;
      line.shift();
      if (entry.draft.op === 'log') this.logSize -= entry.size;
      entry.resolve(results[index]!);
    }
    this.#wakeRoom();
  }

  #refuse(batch: Entry[], error: HttpError): void {
    const [entry] = batch as [Entry];
    this.#settle(batch, [{ status: 'error', code: 'REFUSED', httpStatus: error.status, message: error.message }]);
    if (!entry.numbered) return;
    // Its number was not used: those behind it move up, there are no gaps.
    this.#last = entry.id - 1;
    for (const later of this.#control) later.id = 0;
  }

  #wakeRoom(): void {
    for (const wake of this.#room.splice(0)) wake();
  }
}

function numberedOp({ draft, numbered, id }: Entry): Op {
  return (numbered ? { ...draft, id } : draft) as Op;
}

const stoppedResult: OpResult = {
  status: 'error',
  code: 'AGENT_STOPPED',
  httpStatus: 503,
  message: 'The agent is stopping',
};
