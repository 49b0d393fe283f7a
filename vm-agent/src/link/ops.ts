import { type Hello, type Op, type OpResult, type OpsRequest, opsHeartbeatMs } from '@paceline/api/agent';
import type { Backoff } from '../backoff.ts';
import { HttpError, isFinal } from './http.ts';

/** An op without its number, which it gets when it is first sent. */
export type OpDraft = Op extends infer O ? (O extends Op ? Omit<O, 'id'> : never) : never;

interface Entry {
  draft: OpDraft;
  /** 0 until it is first sent; undefined for what has no number. */
  id: number | undefined;
  size: number;
  resolve: (result: OpResult) => void;
}

interface Link {
  session: string;
  gone: AbortController;
}

export interface OpsOptions {
  /** The signal: the connection that it names is gone, an answer will not come. */
  post: (request: OpsRequest, signal: AbortSignal) => Promise<OpResult[]>;
  backoff: Backoff;
  /** The engine will not have us any more. */
  onFinal: (error: HttpError) => void;
  /** @default 512 */
  maxOps?: number;
  /** Of one request, about; a single op may be longer. @default 256 KiB */
  maxBytes?: number;
}

const unnumbered = new Set<string>(['get', 'unwait', 'getAll', 'unwaitAll', 'log', 'examined']);

function textLength(draft: OpDraft): number {
  const { text, value, unless } = draft as { text?: string; value?: string; unless?: string };
  return 200 + (text ?? value ?? unless ?? '').length;
}

/**
 * Everything the agent says, in order: one request at a time, what comes meanwhile goes into the next one. What got no answer is
 * sent again with its number until it has one, on the newest connection. Output of scripts stands in a line of its own so that
 * nothing waits behind it. A queue with nothing to say says so now and then.
 */
export class OpsQueue {
  readonly #options: Required<OpsOptions>;
  readonly #control: Entry[] = [];
  readonly #logs: Entry[] = [];
  /** The newest connection; undefined while there is none, and nothing is sent. */
  #link: Link | undefined;
  #last = 0;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #limit: number;
  #busy = false;
  #stopped = false;
  #room: (() => void)[] = [];
  /** Characters of output that wait or are under way. */
  logSize = 0;

  constructor(options: OpsOptions) {
    this.#options = { maxOps: 512, maxBytes: 256 * 1024, ...options };
    this.#limit = this.#options.maxOps;
  }

  /** Resolves with the engine's result; stays pending for as long as the engine is away. */
  send(draft: OpDraft): Promise<OpResult> {
    return new Promise((resolve) => {
      if (this.#stopped) return resolve(stoppedResult);
      const size = textLength(draft);
      const entry: Entry = { draft, id: unnumbered.has(draft.op) ? undefined : 0, size, resolve };
      if (draft.op === 'log') {
        this.#logs.push(entry);
        this.logSize += size;
      } else this.#control.push(entry);
      void this.#pump();
    });
  }

  /** A connection is there. Numbers go on where the engine is; never lower, should it have lost what it had answered. */
  hello({ session, lastOp }: Pick<Hello, 'session' | 'lastOp'>): void {
    this.down();
    if (this.#stopped) return;
    this.#link = { session, gone: new AbortController() };
    this.#last = Math.max(this.#last, lastOp);
    this.#heartbeat = setInterval(() => void this.#beat(), opsHeartbeatMs).unref();
    this.#options.backoff.wake();
    void this.#pump();
  }

  /** The connection is gone, and what is said on it would not be heard: all waits for the next `hello`. */
  down(): void {
    this.#link?.gone.abort();
    this.#link = undefined;
    clearInterval(this.#heartbeat);
  }

  /** Resolves when less than `size` characters of output wait. */
  async logRoom(size: number): Promise<void> {
    while (this.logSize > size && !this.#stopped) await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  /** Nothing is sent any more; what waits gets an error. */
  stop(): void {
    this.#stopped = true;
    this.down();
    for (const entry of [...this.#control.splice(0), ...this.#logs.splice(0)]) entry.resolve(stoppedResult);
    this.#wakeRoom();
    this.#options.backoff.wake();
  }

  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // What one turn of the event loop says goes into one request.
    await Promise.resolve();
    while (this.#link && this.#control.length + this.#logs.length > 0) await this.#round(this.#link);
    this.#busy = false;
  }

  /** Whether the engine hears it is the engine's concern: it ends a link that it has not heard of for long. */
  async #beat(): Promise<void> {
    if (this.#busy || !this.#link) return;
    this.#busy = true;
    const { session, gone } = this.#link;
    await this.#options.post({ session, ops: [] }, gone.signal).catch(() => {});
    this.#busy = false;
    void this.#pump();
  }

  async #round(link: Link): Promise<void> {
    const batch = this.#batch();
    for (const entry of batch) if (entry.id === 0) entry.id = ++this.#last;
    const { post, backoff, onFinal, maxOps } = this.#options;
    let asked = 0;
    this.#heartbeat?.refresh();
    try {
      const results = await post(
        { session: link.session, ops: batch.map(({ draft, id }) => (id ? { ...draft, id } : draft) as Op) },
        link.gone.signal,
      );
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
    // With a new connection there is no reason to wait; a 409 says that one is on its way.
    if (this.#link === link) await backoff.wait(asked);
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
    if (entry.id === undefined) return;
    // Its number was not used: those behind it move up, there are no gaps.
    this.#last = entry.id - 1;
    for (const later of this.#control) if (later.id) later.id = 0;
  }

  #wakeRoom(): void {
    for (const wake of this.#room.splice(0)) wake();
  }
}

const stoppedResult: OpResult = {
  status: 'error',
  code: 'AGENT_STOPPED',
  httpStatus: 503,
  message: 'The agent is stopping',
};
