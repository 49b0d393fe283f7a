import type { Op, OpResult } from '@paceline/api/agent';
import { PacelineError } from '@paceline/model';
import type { Refusal } from '../run/instance.ts';

const ok: OpResult = { status: 'ok' };

/** The most that is answered at once, in bytes of JSON: a single value fits, and a link that is 8 MiB behind is cut off. */
const maxAnswer = 7 * 1024 * 1024;
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
  #size = 0;

  /** @param before the refusals that were kept of earlier requests */
  constructor(before: readonly Refusal[], ops: readonly Op[]) {
    const first = ops.find((op) => 'id' in op);
    this.refusals = before.filter((refusal) => first !== undefined && 'id' in first && refusal.id >= first.id);
    for (const refusal of this.refusals) this.#kept += sizeOf(refusal);
  }

  /** Answers what has been carried out before as it was answered then. */
  repeat(id: number): void {
    this.#push(this.refusals.find((refusal) => refusal.id === id)?.result ?? ok);
  }

  /** @param id of the op, undefined when it has none */
  add(id: number | undefined, result: OpResult): void {
    this.#push(result);
    if (id === undefined || result.status !== 'error') return;
    const refusal = { id, result };
    this.refusals.push(refusal);
    this.#kept += sizeOf(refusal);
  }

  /** No more may be carried out: the request is to be said again in smaller pieces. */
  get isFull(): boolean {
    return this.#kept > mostKept || this.#isTooLong;
  }

  /** @throws PACELINE_TOO_LARGE when this is not the answer to all ops, or more than is answered at once */
  check(ops: readonly Op[]): void {
    if (this.results.length === ops.length && !this.#isTooLong) return;
    throw new PacelineError('PACELINE_TOO_LARGE', 'The answers to all of this are too long together', {
      hint: 'Say it again, in smaller pieces. What was carried out is not carried out again.',
    });
  }

  /** A single answer is never too long. */
  get #isTooLong(): boolean {
    return this.#size > maxAnswer && this.results.length > 1;
  }

  #push(result: OpResult): void {
    this.results.push(result);
    this.#size += Buffer.byteLength(textOf(result));
  }
}

const texts = new WeakMap<OpResult, string>();

/** A result as JSON. What thousands ask for at once, all members' values, is written out once. */
export function textOf(result: OpResult): string {
  let text = texts.get(result);
  if (text === undefined) texts.set(result, (text = JSON.stringify(result)));
  return text;
}

/** Values of many machines that no link could bring. @param text all of them as JSON */
export function isTooLong(values: Record<string, string>, text: () => string): boolean {
  let length = 0;
  for (const value of Object.values(values)) length += value.length;
  return length > maxAnswer || Buffer.byteLength(text()) > maxAnswer;
}

export function tooLongTogether(written: string): PacelineError {
  return new PacelineError('PACELINE_TOO_LARGE', `The values of ${written} are too long together`, {
    hint: 'Put large content into the report, or let the machines fetch it from each other.',
  });
}

function sizeOf({ result }: Refusal): number {
  return result.message.length + refusalSize;
}
