import type { OpResult, ValueEvent, ValuesEvent } from '@paceline/api/agent';
import type { Clock } from '../clock.ts';
import type { OpDraft } from './ops.ts';

/** What is waited for: the same name is the same question. */
export interface Question {
  name: string;
  ask: OpDraft;
  unask: OpDraft;
  ignoreAbort: boolean;
}

export function valueQuestion(key: string, ignoreAbort: boolean): Question {
  const name = `get ${key} ${ignoreAbort}`;
  return { name, ask: { op: 'get', key, wait: true, ignoreAbort }, unask: { op: 'unwait', key }, ignoreAbort };
}

export function valuesQuestion(node: string, key: string, ignoreAbort: boolean): Question {
  const name = `getAll ${node}:${key} ${ignoreAbort}`;
  return {
    name,
    ask: { op: 'getAll', node, name: key, wait: true, ignoreAbort },
    unask: { op: 'unwaitAll', node, name: key },
    ignoreAbort,
  };
}

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
    this.#came((ignoreAbort) => valueQuestion(key, ignoreAbort), { status: 'value', value, secret });
  }

  values({ node, name, values }: ValuesEvent): void {
    this.#came((ignoreAbort) => valuesQuestion(node, name, ignoreAbort), { status: 'values', values, unset: [] });
  }

  /** The engine answers questions with the same words while the flag is up. */
  abort(reason: string): void {
    for (const wait of this.#waits.values())
      if (!wait.question.ignoreAbort) {
        this.#settle(wait, { status: 'error', code: 'ABORTED', httpStatus: 409, message: `Abort flag raised! ${reason}` });
        this.#unask(wait.question);
      }
  }

  #join(question: Question): Wait {
    const known = this.#waits.get(question.name);
    if (known) return known;
    const wait = { question, confirmed: false, listeners: new Set() } as unknown as Wait;
    this.#waits.set(question.name, wait);
    this.#ask(wait);
    return wait;
  }

  #ask(wait: Wait): void {
    const asked = (wait.asked = this.#send(wait.question.ask));
    void asked.then((result) => {
      if (wait.settled || wait.asked !== asked) return;
      if (result.status !== 'unset' && !(result.status === 'values' && result.unset.length > 0)) return this.#settle(wait, result);
      wait.confirmed = true;
      for (const listener of [...wait.listeners]) listener();
    });
  }

  #came(question: (ignoreAbort: boolean) => Question, result: OpResult): void {
    for (const ignoreAbort of [false, true]) {
      const wait = this.#waits.get(question(ignoreAbort).name);
      if (wait) this.#settle(wait, result);
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
    this.#unask(wait.question);
  }

  /** Unless the same is still waited for with the other view of the abort flag. */
  #unask({ name, unask }: Question): void {
    const subject = name.slice(0, name.lastIndexOf(' ') + 1);
    if (!this.#waits.has(`${subject}true`) && !this.#waits.has(`${subject}false`)) void this.#send(unask);
  }

  #forget({ leaving, question }: Wait): void {
    clearTimeout(leaving);
    this.#waits.delete(question.name);
  }
}
