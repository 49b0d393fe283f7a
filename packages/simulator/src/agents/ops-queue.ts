import { opsHeartbeatMs, type Hello, type Op, type OpResult, type OpsRequest } from '@paceline/api/agent';
import type { Process } from '../kernel/process.ts';
import { isFinal, type HttpError } from '../network/errors.ts';
import type { Backoff } from './backoff.ts';

/** An op without its number, which it gets when it is first sent. */
export type OpDraft = Op extends infer O ? (O extends Op ? Omit<O, 'id'> : never) : never;

interface Entry {
  draft: OpDraft;
  numbered: boolean;
  id: number;
  resolve: (result: OpResult) => void;
}

export interface OpsOptions {
  process: Process;
  post: (request: OpsRequest) => Promise<OpResult[]>;
  backoff: Backoff;
  /** The engine will not have us any more. */
  onFinal: (error: HttpError) => void;
}

const unnumbered = new Set<string>(['get', 'unwait', 'getAll', 'unwaitAll', 'log', 'examined']);
const maxOps = 512;

/**
 * Everything an agent says, in order, as `vm-agent/src/link/ops.ts` does it: one request at a time, and what got no answer is said
 * again with its number, on the newest connection.
 */
export class OpsQueue {
  readonly #options: OpsOptions;
  readonly #control: Entry[] = [];
  readonly #logs: Entry[] = [];
  #session: string | undefined;
  #last = 0;
  #busy = false;
  #cancelHeartbeat = (): void => {};

  constructor(options: OpsOptions) {
    this.#options = options;
  }

  send(draft: OpDraft): Promise<OpResult> {
    return new Promise((resolve) => {
      const line = draft.op === 'log' ? this.#logs : this.#control;
      line.push({ draft, numbered: !unnumbered.has(draft.op), id: 0, resolve });
      void this.#pump();
    });
  }

  hello({ session, lastOp }: Pick<Hello, 'session' | 'lastOp'>): void {
    this.down();
    this.#session = session;
    this.#last = Math.max(this.#last, lastOp);
    this.#scheduleHeartbeat();
    this.#options.backoff.wake();
    void this.#pump();
  }

  down(): void {
    this.#session = undefined;
    this.#cancelHeartbeat();
  }

  #scheduleHeartbeat(): void {
    this.#cancelHeartbeat();
    this.#cancelHeartbeat = this.#options.process.after(opsHeartbeatMs, () => {
      this.#scheduleHeartbeat();
      void this.#beat();
    });
  }

  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // What one turn of the event loop says goes into one request.
    await Promise.resolve();
    while (this.#session !== undefined && this.#control.length + this.#logs.length > 0) await this.#round(this.#session);
    this.#busy = false;
  }

  async #beat(): Promise<void> {
    if (this.#busy || this.#session === undefined) return;
    this.#busy = true;
    await this.#options.post({ session: this.#session, ops: [] }).catch(() => {});
    this.#busy = false;
    void this.#pump();
  }

  async #round(session: string): Promise<void> {
    const batch = [...this.#control, ...this.#logs].slice(0, maxOps);
    for (const entry of batch) if (entry.numbered && entry.id === 0) entry.id = ++this.#last;
    const { post, backoff, onFinal } = this.#options;
    this.#scheduleHeartbeat();
    try {
      const results = await post({ session, ops: batch.map(numberedOp) });
      this.#settle(batch, results);
      backoff.reset();
      return;
    } catch (error) {
      if (isFinal(error)) return onFinal(error);
    }
    if (this.#session === session) await backoff.wait();
  }

  #settle(batch: Entry[], results: OpResult[]): void {
    for (const [index, entry] of batch.entries()) {
      const line = entry.draft.op === 'log' ? this.#logs : this.#control;
      const result = results[index];
      if (line[0] !== entry || result === undefined) continue;
      line.shift();
      entry.resolve(result);
    }
  }
}

function numberedOp({ draft, numbered, id }: Entry): Op {
  return (numbered ? { ...draft, id } : draft) as Op;
}
