import type { OpResult } from '@paceline/api/agent';
import { readParameter, type Reading } from '../parameters/read.ts';
import { maySee, notForYou } from '../parameters/secrets.ts';
import { membersOf } from '../parameters/system.ts';
import { versionOf } from '../run/apply.ts';
import { getOrMake } from '../run/get-or-make.ts';
import type { Instance } from '../run/instance.ts';
import type { Run, RunView } from '../run/run.ts';
import { isTooLong, textOf, tooLongTogether } from './answers.ts';
import { refusedResult } from './op-error.ts';
import type { Session } from './session.ts';

interface Collection {
  readonly node: string;
  readonly name: string;
  /** The keys of members without a value. */
  readonly missing: Set<string>;
  readonly sessions: Set<Session>;
}

/**
 * Who waits for one parameter of all members of a node. The members are counted down once for everybody, and everybody gets
 * the same answer: N members that all wait for all N cost N steps, not N x N.
 */
export class Collections {
  readonly #byId = new Map<string, Collection>();
  /** What a parameter's setting can bring: keys of collections. */
  readonly #bySource = new Map<string, Map<Collection, string[]>>();

  get size(): number {
    return this.#byId.size;
  }

  add(run: RunView, session: Session, node: string, name: string): void {
    const id = `${node}:${name}`;
    const collection = getOrMake(this.#byId, id, () => this.#watch(run, { node, name, missing: new Set(), sessions: new Set() }));
    collection.sessions.add(session);
  }

  /** Waits with those that wait for the same. @returns false when nobody does */
  join(session: Session, node: string, name: string): boolean {
    return this.#byId.get(`${node}:${name}`)?.sessions.add(session) !== undefined;
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

  /** @param run as it is stored */
  wake(run: RunView, changed: string): void {
    for (const [collection, keys] of [...(this.#bySource.get(changed) ?? [])]) {
      for (const key of keys) if (readParameter(run, key).value !== undefined) collection.missing.delete(key);
      if (collection.missing.size === 0) this.#complete(run, collection);
    }
  }

  /** The members of a node are others than before: nobody waits for those that left, everybody for those that came. */
  review(run: RunView): void {
    for (const collection of [...this.#byId.values()]) this.#complete(run, collection);
  }

  /** Answers when every present member has a value now; one that had a value may have lost it again. */
  #complete(run: RunView, collection: Collection): void {
    this.#forget(collection);
    const { node, name, sessions } = collection;
    const readings = membersOf(run, node).map((index) => ({ index, ...readParameter(run, `${node}.${index}:${name}`) }));
    if (readings.some(({ value }) => value === undefined)) {
      this.#byId.set(`${node}:${name}`, this.#watch(run, collection));
      return;
    }
    const data = { node, name, values: Object.fromEntries(readings.map(({ index, value = '' }) => [index, value])) };
    const secrets = readings.filter(({ secret }) => secret);
    const tooLong = isTooLong(data.values, () => JSON.stringify(data)) ? tooLongTogether(`${node}.*:${name}`) : undefined;
    for (const session of sessions) {
      const hidden = secrets.find((reading: Reading) => !maySee(run, session.instance, reading));
      const refused = hidden === undefined ? tooLong : notForYou(session.instance, hidden.key);
      if (refused === undefined) session.link.send('values', data);
      else session.link.send('refused', { node, name, ...refusedResult(refused) });
    }
  }

  #watch(run: RunView, collection: Collection): Collection {
    collection.missing.clear();
    for (const index of membersOf(run, collection.node)) {
      const { key, value, sources } = readParameter(run, `${collection.node}.${index}:${collection.name}`);
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

type AllValues = Extract<OpResult, { status: 'values' }>;

interface Snapshot {
  version: number;
  /** Undefined when they are too long together. */
  values: AllValues | undefined;
  secrets: Reading[];
}

const snapshots = new WeakMap<Run, Map<string, Snapshot>>();

/**
 * The values of one parameter at all members of a node, by instance number, and the numbers that have none yet. While nothing
 * changes, everybody gets the same object.
 * @throws PACELINE_FORBIDDEN when one of them is a secret that the instance may not read, PACELINE_TOO_LARGE
 */
export function readAll(run: Run, instance: Instance, node: string, name: string): AllValues {
  const known = snapshots.get(run) ?? new Map<string, Snapshot>();
  snapshots.set(run, known);
  const id = `${node}:${name}`;
  const version = versionOf(run);
  let snapshot = known.get(id);
  if (snapshot?.version !== version) known.set(id, (snapshot = { version, ...takeSnapshot(run, node, name) }));
  const hidden = snapshot.secrets.find((reading) => !maySee(run, instance, reading));
  if (hidden !== undefined) throw notForYou(instance, hidden.key);
  if (snapshot.values === undefined) throw tooLongTogether(`${node}.*:${name}`);
  return snapshot.values;
}

function takeSnapshot(run: Run, node: string, name: string): Omit<Snapshot, 'version'> {
  const values: Record<string, string> = {};
  const unset: string[] = [];
  const secrets: Reading[] = [];
  for (const index of membersOf(run, node)) {
    const reading = readParameter(run, `${node}.${index}:${name}`);
    if (reading.secret) secrets.push(reading);
    if (reading.value === undefined) unset.push(String(index));
    else values[index] = reading.value;
  }
  const all: AllValues = { status: 'values', values, unset };
  return { values: isTooLong(values, () => textOf(all)) ? undefined : all, secrets };
}
