import type { OpResult, ValueEvent, ValuesEvent } from '@paceline/api/agent';
import type { Clock } from '../clock.ts';
import type { OpDraft } from './ops.ts';

export type Question =
  | { op: 'get'; key: string; ignoreAbort: boolean }
  | { op: 'getAll'; node: string; name: string; ignoreAbort: boolean };

interface Wait {
  question: Question;
  /** The engine has said that there is no value, and the link has been up since. */
  confirmed: boolean;
  /** The answer to the latest question about it. */
  asked: Promise<OpResult>;
  settled: OpResult | undefined;
  listeners: Set<() => void>;
  leaving: ReturnType<typeof setTimeout> | undefined;
}

/** How a wait ended: with a result, or not yet. `confirmed`: the engine itself says that there is none. */
export type Waited = { result: OpResult } | { result: undefined; confirmed: boolean };

/** A shim asks again every few seconds: its wait stays at the engine for this many milliseconds in between. */
const linger = 2000;

/** Values that somebody on this machine waits for. However many wait for one key, the engine is asked once. */
export class Waits {
  readonly #send: (draft: OpDraft) => Promise<OpResult>;
  readonly #clock: Clock;
  readonly #waits = new Map<string, Wait>();
  #greeted = false;

  constructor(send: (draft: OpDraft) => Promise<OpResult>, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /** Wait until the value is there, an error came, or (`first`) it is known that there is none; no longer than `ms`. */
  async wait(question: Question, ms: number, first: boolean): Promise<Waited> {
    const wait = this.#join(question);
    const enough = new AbortController();
    const check = (): void => {
      if (wait.settled || (first && wait.confirmed)) enough.abort();
    };
    wait.listeners.add(check);
    clearTimeout(wait.leaving);
    check();
    await this.#clock.sleep(ms, enough.signal);
    wait.listeners.delete(check);
    if (wait.settled) return { result: wait.settled };
    if (wait.listeners.size === 0) {
      wait.leaving = setTimeout(() => this.#leave(wait), linger);
      wait.leaving.unref();
    }
    return { result: undefined, confirmed: wait.confirmed };
  }

  /** A connection is there: the engine knows only what it is told on it. */
  hello(): void {
    if (this.#greeted) for (const wait of this.#waits.values()) this.#ask(wait);
    this.#greeted = true;
  }

  down(): void {
    for (const wait of this.#waits.values()) wait.confirmed = false;
  }

  value({ key, value, secret }: ValueEvent): void {
    for (const wait of this.#about('get', key)) this.#settle(wait, { status: 'value', value, secret });
  }

  values({ node, name, values }: ValuesEvent): void {
    for (const wait of this.#about('getAll', `${node}:${name}`)) this.#settle(wait, { status: 'values', values, unset: [] });
  }

  abort(): void {
    for (const wait of this.#waits.values())
      if (!wait.question.ignoreAbort) {
        this.#settle(wait, { status: 'error', code: 'ABORTED', httpStatus: 409, message: 'Abort flag raised!' });
        this.#unwait(wait.question);
      }
  }

  #join(question: Question): Wait {
    const name = `${nameOf(question)} ${question.ignoreAbort}`;
    const known = this.#waits.get(name);
    if (known) return known;
    const wait = { question, confirmed: false, settled: undefined, listeners: new Set(), leaving: undefined } as unknown as Wait;
    this.#waits.set(name, wait);
    this.#ask(wait);
    return wait;
  }

  #ask(wait: Wait): void {
    const asked = (wait.asked = this.#send({ ...wait.question, wait: true }));
    void asked.then((result) => {
      if (wait.settled || wait.asked !== asked) return;
      if (result.status !== 'unset' && !(result.status === 'values' && result.unset.length > 0)) return this.#settle(wait, result);
      wait.confirmed = true;
      for (const listener of [...wait.listeners]) listener();
    });
  }

  *#about(op: Question['op'], key: string): Generator<Wait> {
    for (const ignoreAbort of [false, true]) {
      const wait = this.#waits.get(`${op} ${key} ${ignoreAbort}`);
      if (wait) yield wait;
    }
  }

  #settle(wait: Wait, result: OpResult): void {
    wait.settled = result;
    this.#forget(wait);
    for (const listener of [...wait.listeners]) listener();
  }

  #leave(wait: Wait): void {
    if (wait.settled || wait.listeners.size > 0) return;
    this.#forget(wait);
    this.#unwait(wait.question);
  }

  /** Unless the same key is still waited for with the other view of the abort flag. */
  #unwait(question: Question): void {
    const { op } = question;
    if ([...this.#about(op, nameOf(question).slice(op.length + 1))].length === 0) void this.#send(unwait(question));
  }

  #forget(wait: Wait): void {
    clearTimeout(wait.leaving);
    this.#waits.delete(`${nameOf(wait.question)} ${wait.question.ignoreAbort}`);
  }
}

function nameOf(question: Question): string {
  return question.op === 'get' ? `get ${question.key}` : `getAll ${question.node}:${question.name}`;
}

function unwait(question: Question): OpDraft {
  return question.op === 'get'
    ? { op: 'unwait', key: question.key }
    : { op: 'unwaitAll', node: question.node, name: question.name };
}
