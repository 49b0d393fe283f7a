import { readParameter } from '../parameters/read.ts';
import { maySee } from '../parameters/secrets.ts';
import type { Run } from '../run/run.ts';
import type { Session } from './session.ts';

interface Wait {
  readonly session: Session;
  readonly written: string;
  /** The parameters whose setting can end it. */
  readonly sources: readonly string[];
}

/**
 * The blocked gets of a run: an entry in a map each, woken by the parameters that were stored. They live in memory only; agents
 * ask again when they come back.
 */
export class Waiters {
  readonly #bySource = new Map<string, Set<Wait>>();
  readonly #bySession = new Map<Session, Map<string, Wait>>();

  add(run: Run, session: Session, written: string): void {
    const waits = getOrMake(this.#bySession, session, () => new Map<string, Wait>());
    if (waits.has(written)) return;
    const wait = { session, written, sources: readParameter(run, written).sources };
    waits.set(written, wait);
    for (const source of wait.sources) getOrMake(this.#bySource, source, () => new Set<Wait>()).add(wait);
  }

  remove(session: Session, written: string): void {
    const wait = this.#bySession.get(session)?.get(written);
    if (wait !== undefined) this.#forget(wait);
  }

  /** Forgets a session that is gone. */
  drop(session: Session): void {
    for (const wait of [...(this.#bySession.get(session)?.values() ?? [])]) this.#forget(wait);
  }

  keysOf(session: Session): string[] {
    return [...(this.#bySession.get(session)?.keys() ?? [])];
  }

  /** Tells everybody who waits for this parameter. To be called only once its value is stored. */
  wake(run: Run, changed: string): void {
    for (const wait of [...(this.#bySource.get(changed) ?? [])]) {
      const reading = readParameter(run, wait.written);
      const { value, secret } = reading;
      // What has become a secret meanwhile is refused when the agent asks again.
      if (value === undefined || !maySee(run, wait.session.instance, reading)) continue;
      this.#forget(wait);
      wait.session.link.send('value', { key: wait.written, value, secret });
    }
  }

  #forget(wait: Wait): void {
    const waits = this.#bySession.get(wait.session);
    waits?.delete(wait.written);
    if (waits?.size === 0) this.#bySession.delete(wait.session);
    for (const source of wait.sources) {
      const set = this.#bySource.get(source);
      set?.delete(wait);
      if (set?.size === 0) this.#bySource.delete(source);
    }
  }
}

export function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
