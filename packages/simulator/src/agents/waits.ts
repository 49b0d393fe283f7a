import type { OpResult, RefusedEvent, ValueEvent, ValuesEvent } from '@paceline/api/agent';
import type { OpDraft } from './ops-queue.ts';

export type Question = { ignoreAbort: boolean } & ({ key: string } | { node: string; name: string });

interface Wait {
  question: Question;
  asked: Promise<OpResult> | undefined;
  settled: PromiseWithResolvers<OpResult>;
}

/** Values that scripts of one machine wait for, as `vm-agent/src/link/waits.ts` has them: asked once for each connection. */
export class Waits {
  readonly #send: (draft: OpDraft) => Promise<OpResult>;
  readonly #waits = new Map<string, Wait>();
  #greeted = false;

  constructor(send: (draft: OpDraft) => Promise<OpResult>) {
    this.#send = send;
  }

  wait(question: Question): Promise<OpResult> {
    const name = nameOf(question);
    let wait = this.#waits.get(name);
    if (wait === undefined) {
      wait = { question, asked: undefined, settled: Promise.withResolvers() };
      this.#waits.set(name, wait);
      this.#ask(wait);
    }
    return wait.settled.promise;
  }

  /** A connection is there: the engine knows only what it is told on it. */
  hello(): void {
    if (this.#greeted) for (const wait of this.#waits.values()) this.#ask(wait);
    this.#greeted = true;
  }

  value({ key, value, secret }: ValueEvent): void {
    this.#came({ key }, { status: 'value', value, secret });
  }

  values({ node, name, values }: ValuesEvent): void {
    this.#came({ node, name }, { status: 'values', values, unset: [] });
  }

  refused({ code, httpStatus, message, ...of }: RefusedEvent): void {
    this.#came(of, { status: 'error', code, httpStatus, message });
  }

  abort(reason: string): void {
    for (const wait of [...this.#waits.values()]) {
      if (wait.question.ignoreAbort) continue;
      this.#settle(wait, { status: 'error', code: 'ABORTED', httpStatus: 409, message: `Abort flag raised! ${reason}` });
      this.#unask(wait.question);
    }
  }

  #ask(wait: Wait): void {
    const asked = this.#send(askOf(wait.question));
    wait.asked = asked;
    void asked.then((result) => {
      if (wait.asked !== asked || result.status === 'unset' || (result.status === 'values' && result.unset.length > 0)) return;
      this.#settle(wait, result);
    });
  }

  #came(of: { key: string } | { node: string; name: string }, result: OpResult): void {
    for (const ignoreAbort of [false, true]) {
      const wait = this.#waits.get(nameOf({ ...of, ignoreAbort }));
      if (wait !== undefined) this.#settle(wait, result);
    }
  }

  #settle(wait: Wait, result: OpResult): void {
    this.#waits.delete(nameOf(wait.question));
    wait.settled.resolve(result);
  }

  /** Unless the same is still waited for with the other view of the abort flag. */
  #unask(question: Question): void {
    if (this.#waits.has(nameOf({ ...question, ignoreAbort: !question.ignoreAbort }))) return;
    void this.#send(
      'key' in question ? { op: 'unwait', key: question.key } : { op: 'unwaitAll', node: question.node, name: question.name },
    );
  }
}

function nameOf(question: Question): string {
  const of = 'key' in question ? question.key : `${question.node}.*:${question.name}`;
  return `${of} ${question.ignoreAbort}`;
}

function askOf(question: Question): OpDraft {
  const { ignoreAbort } = question;
  if ('key' in question) return { op: 'get', key: question.key, wait: true, ignoreAbort };
  return { op: 'getAll', node: question.node, name: question.name, wait: true, ignoreAbort };
}
