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

/** A moment by both clocks: the one that can be set, and the one that may stand still. */
interface Moment {
  told: number;
  elapsed: number;
}

/** A replica that gives no sign of life for this long is taken for dead, in milliseconds. */
export const leaseMs = 10_000;
const beatMs = leaseMs / 4;
/** A replica stops acting this long before others may take it for dead: what it gives up then should be over by then. */
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
  #renewedAt: Moment | undefined;
  #lease = new AbortController();
  readonly #seen = new Map<string, { beats: number; since: number }>();
  #cancelTimer = (): void => {};
  #cancelEnd = (): void => {};
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
    return !this.#ports.store.shared || this.#silentMs < leaseMs - marginMs;
  }

  /** Aborted when others may soon take the runs: what is asked for them has to be over by then. */
  get lease(): AbortSignal {
    return this.#lease.signal;
  }

  /** Since the last sign of life, by whichever clock says more: one may have been set back, the other may stand still while a host sleeps. */
  get #silentMs(): number {
    if (this.#renewedAt === undefined) return Number.POSITIVE_INFINITY;
    const now = this.#now();
    return Math.max(now.told - this.#renewedAt.told, now.elapsed - this.#renewedAt.elapsed);
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
    this.#cancelEnd();
    this.#lease.abort(new Error('the engine stops'));
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
    const { store, url } = this.#ports;
    const begun = this.#now();
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
    const { store, url } = this.#ports;
    const begun = this.#now();
    this.#beats = 0;
    await store.addReplica({ id: this.#id, url: url(), beats: 0 });
    this.#renew(begun);
  }

  #renew(begun: Moment): void {
    const held = this.holds;
    this.#renewedAt = begun;
    this.#extend();
    if (held) return;
    // The others could be as silent as this one for the same reason: they are given the time of a lease from now on.
    this.#seen.clear();
    this.#ports.regained();
  }

  #extend(): void {
    if (this.#stopped) return;
    if (this.#lease.signal.aborted) this.#lease = new AbortController();
    this.#cancelEnd();
    this.#cancelEnd = this.#ports.clock.after(leaseMs - marginMs - this.#silentMs, () => {
      this.#lease.abort(new Error('the database is out of reach, and other servers may take the runs of this one'));
    });
  }

  #now(): Moment {
    const { clock } = this.#ports;
    return { told: clock.now(), elapsed: clock.elapsed() };
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
    const replicas = await store.replicas();
    for (const id of this.#seen.keys()) if (!replicas.some((replica) => replica.id === id)) this.#seen.delete(id);
    for (const replica of replicas) {
      const { id, beats } = replica;
      if (id === this.#id) continue;
      const seen = this.#seen.get(id);
      if (seen?.beats !== beats) this.#seen.set(id, { beats, since: clock.elapsed() });
      else if (clock.elapsed() >= seen.since + leaseMs && (await store.buryReplica(replica))) {
        this.#seen.delete(id);
        continue;
      }
      alive.add(id);
    }
    return alive;
  }
}
