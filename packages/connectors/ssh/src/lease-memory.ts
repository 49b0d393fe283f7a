import { matches, type OwnerQuery } from '@paceline/engine/connector';
import type { Host } from './inventory.ts';
import type { Lease, LeaseRecord } from './lease.ts';

/** A lease that was asked for. */
interface Attempt {
  record: LeaseRecord;
  /** Milliseconds since the epoch; nothing that comes of it lasts longer. */
  expiresAt: number;
  /** The host has said how it went. */
  isAnswered: boolean;
}

/**
 * What hosts can have at the most: the leases that they listed last, and those that were asked for since. With it a host that is silent
 * holds up only those who may have something there. Leases of one engine are asked for by one process, through one memory.
 */
export class LeaseMemory {
  readonly #listed = new Map<string, { question: number; records: readonly LeaseRecord[] }>();
  readonly #attempts = new Map<string, Set<Attempt>>();
  #questions = 0;

  /** Remembers what a host lists. */
  async list({ name }: Host, question: () => Promise<Lease[]>): Promise<Lease[]> {
    // What is asked for while the host answers may be missing in the answer.
    const before = [...(this.#attempts.get(name) ?? [])].filter(({ isAnswered }) => isAnswered);
    const asked = ++this.#questions;
    const leases = await question();
    // An answer that was overtaken is old.
    if (asked < (this.#listed.get(name)?.question ?? 0)) return leases;
    this.#listed.set(name, { question: asked, records: leases.map(({ record }) => record) });
    for (const attempt of before) this.#attempts.get(name)?.delete(attempt);
    return leases;
  }

  /** Remembers that a lease is asked for. Without an answer the host may still make it, also after its next list. */
  async take<T>({ name }: Host, record: LeaseRecord, expiresAt: number, question: () => Promise<T>): Promise<T> {
    const attempt: Attempt = { record, expiresAt, isAnswered: false };
    const attempts = this.#attempts.get(name) ?? new Set();
    this.#attempts.set(name, attempts.add(attempt));
    const answer = await question();
    attempt.isAnswered = true;
    return answer;
  }

  /** Whether a host may have such a lease. Of one that has never listed anything here nobody knows. */
  mayHave({ name }: Host, query: OwnerQuery, now: number): boolean {
    const listed = this.#listed.get(name);
    if (listed === undefined) return true;
    const asked = [...(this.#attempts.get(name) ?? [])].filter(({ expiresAt }) => expiresAt > now);
    return [...listed.records, ...asked.map(({ record }) => record)].some((record) => isOf(record, query));
  }
}

/** Whether a lease is what a query asks for. */
export function isOf({ engine, run, token }: LeaseRecord, query: OwnerQuery): boolean {
  return matches({ owner: { engine, run }, token }, query);
}
