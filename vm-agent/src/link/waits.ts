import type { OpResult, RefusedEvent, ValueEvent, ValuesEvent } from '@paceline/api/agent';
import type { Clock } from '../clock.ts';
import type { OpDraft } from './ops.ts';

/** What is waited for: the same name is the same question. */
export interface Question {
  name: string;
  /** Those of one subject have the same answer, though not all may be content with it. */
  subject: string;
  ask: OpDraft;
  unask: OpDraft;
  ignoreAbort: boolean;
  /** Whether this value is one that is waited for. Without it any is. */
  accepts?: (value: string) => boolean;
}

const ofValue = (key: string): string => `get ${key}`;
const ofValues = (node: string, key: string): string => `getAll ${node}:${key}`;

export function valueQuestion(key: string, ignoreAbort: boolean): Question {
  const subject = ofValue(key);
  const name = `${subject} ${ignoreAbort}`;
  return { name, subject, ask: { op: 'get', key, wait: true, ignoreAbort }, unask: { op: 'unwait', key }, ignoreAbort };
}

export function valuesQuestion(node: string, key: string, ignoreAbort: boolean): Question {
  const subject = ofValues(node, key);
  return {
    name: `${subject} ${ignoreAbort}`,
    subject,
    ask: { op: 'getAll', node, name: key, wait: true, ignoreAbort },
    unask: { op: 'unwaitAll', node, name: key },
    ignoreAbort,
  };
}

interface Wait {
  question: Question;
  /** The value that is there and is not the one that is waited for. */
  passedOver: string | undefined;
  /** The engine has said that there is no (other) value, and the link has been up since. */
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
export const linger = 2000;

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
    this.#came(ofValue(key), { status: 'value', value, secret });
  }

  values({ node, name, values }: ValuesEvent): void {
    this.#came(ofValues(node, name), { status: 'values', values, unset: [] });
  }

  /** It will not be told, as if the question had been refused. */
  refused({ code, httpStatus, message, ...of }: RefusedEvent): void {
    this.#came('key' in of ? ofValue(of.key) : ofValues(of.node, of.name), { status: 'error', code, httpStatus, message });
  }

  /** The engine answers questions with the same words while the flag is up. */
  abort(reason: string): void {
    for (const wait of this.#waits.values()) {
      if (wait.question.ignoreAbort) continue;
      const end = (): void => {
        if (this.#waits.get(wait.question.name) !== wait) return;
        this.#settle(wait, { status: 'error', code: 'ABORTED', httpStatus: 409, message: `Abort flag raised! ${reason}` });
        this.#unask(wait.question);
      };
      // An answer that is on its way may be the very refusal that has raised the flag.
      if (wait.confirmed) end();
      else void wait.asked.then(end);
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
    const { question, passedOver: unless } = wait;
    const asked = (wait.asked = this.#send({ ...question.ask, unless } as OpDraft));
    void asked.then((result) => {
      if (wait.asked !== asked || this.#waits.get(question.name) !== wait) return;
      if (result.status === 'value' && result.value !== unless) return this.#take(wait, result);
      if (result.status === 'error' || (result.status === 'values' && result.unset.length === 0)) return this.#settle(wait, result);
      wait.confirmed = true;
      for (const listener of [...wait.listeners]) listener();
    });
  }

  #came(subject: string, result: OpResult): void {
    for (const wait of this.#of(subject)) this.#take(wait, result);
  }

  /** With an answer the engine's own wait is over: who is not content with it asks for another one. */
  #take(wait: Wait, result: OpResult): void {
    if (result.status !== 'value' || wait.question.accepts?.(result.value) !== false) return this.#settle(wait, result);
    wait.passedOver = result.value;
    this.#ask(wait);
  }

  #of(subject: string): Wait[] {
    return [...this.#waits.values()].filter(({ question }) => question.subject === subject);
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

  /** Unless others wait for an answer to it. */
  #unask({ subject, unask }: Question): void {
    if (this.#of(subject).length === 0) void this.#send(unask);
  }

  #forget({ leaving, question }: Wait): void {
    clearTimeout(leaving);
    this.#waits.delete(question.name);
  }
}
