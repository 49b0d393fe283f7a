import { readParameter } from '../parameters/read.ts';
import { maySee, readAs } from '../parameters/secrets.ts';
import { membersOf } from '../parameters/system.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import type { Session } from './session.ts';
import { getOrMake } from './waiters.ts';

interface Collection {
  readonly node: string;
  readonly name: string;
  /** Members without a value yet, and how many of them each source parameter can still bring. */
  readonly missing: Set<string>;
  readonly sessions: Set<Session>;
}

/**
 * Who waits for one parameter of all members of a node. The members are counted down once for everybody, and everybody gets
 * the same answer: N members that all wait for all N cost N steps, not N x N.
 */
export class Collections {
  readonly #byId = new Map<string, Collection>();
  readonly #bySource = new Map<string, Map<Collection, string[]>>();

  add(run: Run, session: Session, node: string, name: string): void {
    const collection = getOrMake(this.#byId, `${node}:${name}`, () => this.#watch(run, node, name));
    collection.sessions.add(session);
  }

  remove(session: Session, node: string, name: string): void {
    const collection = this.#byId.get(`${node}:${name}`);
    collection?.sessions.delete(session);
    if (collection?.sessions.size === 0) this.#forget(collection);
  }

  drop(session: Session): void {
    for (const { node, name } of [...this.#byId.values()]) this.remove(session, node, name);
  }

  keysOf(session: Session): string[] {
    return [...this.#byId.values()].filter(({ sessions }) => sessions.has(session)).map(({ node, name }) => `${node}.*:${name}`);
  }

  wake(run: Run, changed: string): void {
    const touched = this.#bySource.get(changed);
    if (touched === undefined) return;
    for (const [collection, keys] of touched) {
      for (const key of keys) if (readParameter(run, key).value !== undefined) collection.missing.delete(key);
      if (collection.missing.size > 0) continue;
      this.#forget(collection);
      const { node, name, sessions } = collection;
      const readings = membersOf(run, node).map((index) => ({ index, ...readParameter(run, `${node}.${index}:${name}`) }));
      const data = { node, name, values: Object.fromEntries(readings.map(({ index, value = '' }) => [index, value])) };
      const secrets = readings.filter(({ secret }) => secret);
      for (const session of sessions) {
        if (secrets.every((reading) => maySee(run, session.instance, reading))) session.link.send('values', data);
      }
    }
  }

  #watch(run: Run, node: string, name: string): Collection {
    const collection: Collection = { node, name, missing: new Set(), sessions: new Set() };
    for (const index of membersOf(run, node)) {
      const { key, value, sources } = readParameter(run, `${node}.${index}:${name}`);
      if (value !== undefined) continue;
      collection.missing.add(key);
      for (const source of sources) {
        const touched = getOrMake(this.#bySource, source, () => new Map<Collection, string[]>());
        getOrMake(touched, collection, () => []).push(key);
      }
    }
    return collection;
  }

  #forget(collection: Collection): void {
    this.#byId.delete(`${collection.node}:${collection.name}`);
    for (const [source, touched] of this.#bySource) {
      touched.delete(collection);
      if (touched.size === 0) this.#bySource.delete(source);
    }
  }
}

/**
 * The values of one parameter at all members of a node, by instance number, and the numbers that have none yet.
 * @throws PACELINE_FORBIDDEN when one of them is a secret that the instance may not read
 */
export function readAll(run: Run, instance: Instance, node: string, name: string): { values: Record<string, string>; unset: string[] } {
  const values: Record<string, string> = {};
  const unset: string[] = [];
  for (const index of membersOf(run, node)) {
    const { value } = readAs(run, instance, `${node}.${index}:${name}`);
    if (value === undefined) unset.push(String(index));
    else values[index] = value;
  }
  return { values, unset };
}
