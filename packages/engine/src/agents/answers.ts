import type { Op, OpResult } from '@paceline/api/agent';
import type { Refusal } from '../run/instance.ts';

const ok: OpResult = { status: 'ok' };

/** The most that is kept of refusals, in characters: they are stored with the instance, each time that it says something. */
const mostKept = 256 * 1024;
/** What a refusal costs beside its message, in characters. */
const refusalSize = 150;

/** What is answered to one request of an agent, and what is kept of it, should the answer be lost. */
export class Answers {
  readonly results: OpResult[] = [];
  /** Those among the ops of the request that were refused, and later ones. */
  readonly refusals: Refusal[];
  #kept = 0;

  /** @param before the refusals that were kept of earlier requests */
  constructor(before: readonly Refusal[], ops: readonly Op[]) {
    const first = ops.find((op) => 'id' in op);
    this.refusals = before.filter((refusal) => first !== undefined && 'id' in first && refusal.id >= first.id);
    for (const refusal of this.refusals) this.#kept += sizeOf(refusal);
  }

  /** Answers what has been carried out before as it was answered then. */
  repeat(id: number): void {
    this.results.push(this.refusals.find((refusal) => refusal.id === id)?.result ?? ok);
  }

  /** @param id of the op, undefined when it has none */
  add(id: number | undefined, result: OpResult): void {
    this.results.push(result);
    if (id === undefined || result.status !== 'error') return;
    const refusal = { id, result };
    this.refusals.push(refusal);
    this.#kept += sizeOf(refusal);
  }

  /** No more may be carried out: the request is to be said again in smaller pieces. */
  get isFull(): boolean {
    return this.#kept > mostKept;
  }
}

function sizeOf({ result }: Refusal): number {
  return result.message.length + refusalSize;
}
