import { isDeepStrictEqual } from 'node:util';
import type { ValueEvent } from '@paceline/api/agent';
import { readParameter, type Reading } from '../parameters/read.ts';
import { maySee, notForYou } from '../parameters/secrets.ts';
import { getOrMake } from '../run/get-or-make.ts';
import type { RunView } from '../run/run.ts';
import { refusedResult } from './op-error.ts';
import type { Session } from './session.ts';

/** One object for all who wait for the same. */
function tell(run: RunView, written: string): { reading: Reading; event: ValueEvent } {
  const reading = readParameter(run, written);
  return { reading, event: { key: written, value: reading.value ?? '', secret: reading.secret } };
}

interface Wait {
  readonly session: Session;
  readonly written: string;
  readonly unless: string | undefined;
  /** The parameters whose setting can end it. */
  sources: readonly string[];
}

/**
 * The blocked gets of a run: an entry in a map each, woken by the parameters that were stored. They live in memory only; agents
 * ask again when they come back.
 */
export class Waiters {
  readonly #bySource = new Map<string, Set<Wait>>();
  readonly #bySession = new Map<Session, Map<string, Wait>>();

  get size(): number {
    return this.#bySession.size;
  }

  /** @param unless a value that is not worth waking up for */
  add(run: RunView, session: Session, written: string, unless?: string): void {
    const waits = getOrMake(this.#bySession, session, () => new Map<string, Wait>());
    const known = waits.get(written);
    if (known !== undefined) this.#forget(known);
    const wait: Wait = { session, written, unless, sources: readParameter(run, written).sources };
    this.#bySession.set(session, waits);
    waits.set(written, wait);
    this.#listen(wait);
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

  /**
   * Tells everybody who waits for this parameter: its value, or that it has become a secret that is not theirs.
   * @param run as it is stored
   */
  wake(run: RunView, changed: string): void {
    const told = new Map<string, { reading: Reading; event: ValueEvent }>();
    for (const wait of [...(this.#bySource.get(changed) ?? [])]) {
      const { session, written } = wait;
      const { reading, event } = getOrMake(told, written, () => tell(run, written));
      if (reading.value === undefined || reading.value === wait.unless) {
        this.#follow(wait, reading.sources);
        continue;
      }
      this.#forget(wait);
      if (maySee(run, session.instance, reading)) {
        session.link.send('value', event);
      } else {
        session.link.send('refused', { key: written, ...refusedResult(notForYou(session.instance, reading.key)) });
      }
    }
  }

  /** What has lost its own value follows others from now on, and what has got one follows nobody. */
  #follow(wait: Wait, sources: readonly string[]): void {
    if (isDeepStrictEqual(sources, wait.sources)) return;
    this.#unlisten(wait);
    wait.sources = sources;
    this.#listen(wait);
  }

  #listen(wait: Wait): void {
    for (const source of wait.sources) getOrMake(this.#bySource, source, () => new Set<Wait>()).add(wait);
  }

  #unlisten(wait: Wait): void {
    for (const source of wait.sources) {
      const set = this.#bySource.get(source);
      set?.delete(wait);
      if (set?.size === 0) this.#bySource.delete(source);
    }
  }

  #forget(wait: Wait): void {
    const waits = this.#bySession.get(wait.session);
    waits?.delete(wait.written);
    if (waits?.size === 0) this.#bySession.delete(wait.session);
    this.#unlisten(wait);
  }
}
