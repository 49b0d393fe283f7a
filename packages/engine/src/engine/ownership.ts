import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { RunStore } from '../store/run-store.ts';

export interface OwnershipPorts {
  store: RunStore;
  clock: Clock;
  warn: (message: string) => void;
  /** Where the other replicas reach this one. */
  url: () => string;
  /** The runs that are driven here. */
  mine: () => ReadonlySet<string>;
  /** Begins to drive a run. */
  take: (run: string) => Promise<void>;
  /** Stops driving every run: others have taken them. */
  dropAll: () => void;
  /** This replica may act again. */
  regained: () => void;
}

/** A replica that gives no sign of life for this long is taken for dead, in milliseconds. */
export const leaseMs = 10_000;
const beatMs = leaseMs / 4;
/** A replica stops acting this long before others may take it for dead: what it has just asked for should be over by then. */
const marginMs = leaseMs / 5;

/**
 * Which runs this process drives. Replicas of a shared store give signs of life there; the runs of one that is silent for the time
 * of a lease are taken over. No two clocks are compared: each replica measures the silence of the others, and its own, by itself.
 * Writes of a replica that was wrongly taken for dead fail on the revision of its runs.
 */
export class Ownership {
  readonly #ports: OwnershipPorts;
  #id: string = randomUUID();
  #beats = 0;
  /** When the last sign of life was begun that got through. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  readonly #seen = new Map<string, { beats: number; since: number }>();
  #cancelTimer = (): void => {};
  #beating: Promise<void> = Promise.resolve();
  #taking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(ports: OwnershipPorts) {
    this.#ports = ports;
  }

  /** The name of this replica, as runs know their owner. */
  get id(): string {
    return this.#id;
  }

  /** Nobody else can have taken the runs of this replica yet: it may answer for them, and act. */
  get holds(): boolean {
    const { store, clock } = this.#ports;
    return !store.shared || clock.now() < this.#renewedAt + leaseMs - marginMs;
  }

  /** The address of the replica that drives a run, when it is another one. */
  async urlOf(run: string): Promise<string | undefined> {
    const { store } = this.#ports;
    const owner = store.shared ? (await store.ownerOf(run))?.owner : undefined;
    const replicas = owner === undefined || owner === null ? [] : await store.replicas();
    return replicas.find(({ id }) => id === owner && id !== this.#id)?.url;
  }

  /** Takes all runs that nobody drives, and goes on looking for them where other replicas may die. */
  async start(): Promise<void> {
    const { store } = this.#ports;
    if (store.shared) {
      await this.#register();
      this.#schedule();
    }
    await this.#takeOver();
  }

  /** Looks for runs to take now: another replica has let some go. */
  look(): void {
    void this.#takeOver().catch((error: unknown) => this.#ports.warn(`no runs could be taken: ${String(error)}`));
  }

  /** Gives no more signs of life, as a process that is killed. */
  async halt(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await Promise.allSettled([this.#beating, this.#taking]);
  }

  /** Lets all runs go. To be called when nothing is written any more. */
  async release(): Promise<void> {
    const { store } = this.#ports;
    if (!store.shared) return;
    for (const run of await store.activeRuns()) if (run.owner === this.#id) await store.claim(run, null);
    await store.buryReplica({ id: this.#id, url: this.#ports.url(), beats: this.#beats });
    await store.tellReleased();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancelTimer = this.#ports.clock.after(beatMs, () => {
      this.#beating = this.#beat()
        .catch((error: unknown) => this.#ports.warn(`no sign of life could be given: ${String(error)}`))
        .finally(() => this.#schedule());
    });
  }

  async #beat(): Promise<void> {
    const { store, clock, url } = this.#ports;
    const begun = clock.now();
    // A number is never used twice: one whose answer was lost may be stored, and the same again would be no sign of life.
    this.#beats += 1;
    if (await store.beat({ id: this.#id, url: url(), beats: this.#beats })) {
      this.#renew(begun);
    } else {
      this.#ports.warn('this replica was taken for dead: its runs are others’ now');
      this.#ports.dropAll();
      this.#id = randomUUID();
      await this.#register();
    }
    this.look();
  }

  async #register(): Promise<void> {
    const { store, clock, url } = this.#ports;
    const begun = clock.now();
    this.#beats = 0;
    await store.addReplica({ id: this.#id, url: url(), beats: 0 });
    this.#renew(begun);
  }

  #renew(begun: number): void {
    const held = this.holds;
    this.#renewedAt = begun;
    if (!held) this.#ports.regained();
  }

  /** Signs of life do not wait for this: reading the runs of a replica that died may take longer than a lease. */
  #takeOver(): Promise<void> {
    this.#again = this.#taking !== undefined;
    this.#taking ??= this.#takeAll().finally(() => {
      this.#taking = undefined;
      // What was let go meanwhile may have been looked at before.
      if (this.#again) this.look();
    });
    return this.#taking;
  }

  async #takeAll(): Promise<void> {
    const { store, mine, take } = this.#ports;
    // In this order: who is looked at has not come after the runs were.
    const runs = await store.activeRuns();
    const alive = store.shared ? await this.#alive() : new Set<string>();
    for (const run of runs) {
      if (this.#stopped || !this.holds) return;
      if (mine().has(run.id) || (run.owner !== null && run.owner !== this.#id && alive.has(run.owner))) continue;
      if (await store.claim(run, this.#id)) await take(run.id);
    }
  }

  /** The other replicas that are not dead. */
  async #alive(): Promise<Set<string>> {
    const { store, clock } = this.#ports;
    const alive = new Set<string>();
    for (const replica of await store.replicas()) {
      const { id, beats } = replica;
      if (id === this.#id) continue;
      const seen = this.#seen.get(id);
      if (seen?.beats !== beats) this.#seen.set(id, { beats, since: clock.now() });
      else if (clock.now() >= seen.since + leaseMs && (await store.buryReplica(replica))) {
        this.#seen.delete(id);
        continue;
      }
      alive.add(id);
    }
    return alive;
  }
}
