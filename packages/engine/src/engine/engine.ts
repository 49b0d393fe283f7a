import { timingSafeEqual } from 'node:crypto';
import type { CreatedRun, JoinRequest, JoinResponse, RunDetail, RunSummary } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { decideJoin } from '../agents/join.ts';
import { engineId, runToken } from '../bootstrap/secrets.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { CallFrame } from '../launch/call-limit.ts';
import { MachineAccess } from '../launch/machine-access.ts';
import { BuiltImages } from '../images/built-images.ts';
import { Reaper, type ReapReport } from '../launch/reaper.ts';
import type { ReportFiles } from '../reports/report-files.ts';
import { instanceOf } from '../run/apply.ts';
import { isSameRun } from '../run/create.ts';
import type { RunEvent } from '../run/event.ts';
import type { LogChunk } from '../run/log.ts';
import { hasEnded, type Run } from '../run/run.ts';
import { sha256 } from '../run/script-digest.ts';
import { Journal } from '../store/journal.ts';
import type { News } from '../store/news.ts';
import type { RunFilter, RunListEntry, RunStore } from '../store/run-store.ts';
import { Tunnels } from '../tunnel/tunnels.ts';
import { ActiveRun } from './active-run.ts';
import { Agent } from './agent.ts';
import { AgentIndex } from './agent-index.ts';
import { storedRun, whichRun } from './which-run.ts';
import type { EngineOptions } from './engine-options.ts';
import { elsewhere } from './elsewhere.ts';
import { Feeds } from './feeds.ts';
import { Ownership } from './ownership.ts';
import { requestedRun, type WantedRun } from './requested-run.ts';
import { defaultRetention, Retention } from './retention.ts';
import { detail, nothingLive, summarise } from './run-view.ts';
import { surveyClouds, type CloudSurvey } from '../placement/survey.ts';

/**
 * Drives all runs of a store. The only state it has that is not in the store is what connected agents and clients have to tell it
 * again anyway; it may be killed between any two instructions and opened again.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #active = new Map<string, ActiveRun>();
  readonly #agents = new AgentIndex();
  readonly #frame: CallFrame;
  readonly #engineId: string;
  readonly #ownership: Ownership;
  readonly #retention: Retention;
  readonly #feeds: Feeds;
  readonly #tunnels: Tunnels;
  /** Single machines, for people. */
  readonly machines: MachineAccess;
  #deaf = (): Promise<void> => Promise.resolve();
  #started = false;
  #idle = (): void => {};

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#engineId = engineId(options.key, options.ownerTag);
    this.#journal = new Journal(options.store, this.#clock, {
      committed: (run, writes) => this.#active.get(run.id)?.committed(run, writes),
      failed: (run, error) => this.#active.get(run.id)?.failed(run, error),
    });
    this.#feeds = new Feeds(options.store, (run) => this.#active.has(run));
    this.#tunnels = new Tunnels(options, this.#clock, (run, instance, trouble) => this.#active.get(run)?.reached(instance, trouble));
    this.#retention = new Retention({
      store: options.store,
      reports: options.reports,
      clock: this.#clock,
      policy: options.retention ?? defaultRetention,
      warn: (message) => options.log.warn(message),
    });
    const look = (): void => this.#active.forEach((active) => active.look());
    options.clouds.changed = look;
    this.#ownership = new Ownership({
      store: options.store,
      clock: this.#clock,
      warn: (message) => options.log.warn(message),
      url: () => options.replicaUrl?.() ?? options.url(),
      mine: () => new Set(this.#active.keys()),
      take: (run) => this.#activate(run).open(),
      dropAll: () => [...this.#active.keys()].forEach((id) => this.#drop(id)),
      regained: look,
    });
    this.#frame = { clock: this.#clock, log: options.log, signal: () => this.#ownership.lease };
    this.machines = new MachineAccess(options, this.#frame, (id) => this.run(id));
  }

  /** Takes and loads the runs that nobody drives, so that their agents are known before they call. @throws PACELINE_STORE_FAILED */
  async load(): Promise<void> {
    await this.#options.store.belongTo(this.#engineId);
    this.#deaf = await this.#options.store.listen((news) => this.#hear(news));
    await this.#ownership.start();
  }

  /** Goes on with the loaded runs. To be called once agents can reach the engine. */
  start(): void {
    this.#started = true;
    this.#retention.start();
    for (const active of this.#active.values()) active.start();
  }

  get clouds(): EngineOptions['clouds'] {
    return this.#options.clouds;
  }

  get store(): RunStore {
    return this.#options.store;
  }

  /** The image factory. */
  get images(): BuiltImages {
    const { store, clouds } = this.#options;
    return new BuiltImages({ ...this.#frame, store, clouds, engineId: this.#engineId, runs: this });
  }

  get reports(): ReportFiles {
    return this.#options.reports;
  }

  /** True while a run is under way. */
  get busy(): boolean {
    return this.#active.size > 0;
  }

  /** Calls back each time the last active run has ended. */
  onIdle(callback: () => void): void {
    this.#idle = callback;
  }

  /**
   * Starts a run. The same request with the same id, made again by the same person, is answered with the run that is there.
   * @throws PACELINE_REQUEST_INVALID, PACELINE_CLOUD_UNKNOWN, PACELINE_NO_ROOM, PACELINE_OVER_BUDGET, PACELINE_CONFLICT when the id is of another run
   */
  async createRun(request: WantedRun, by: string): Promise<CreatedRun> {
    const existing = request.id === undefined ? undefined : await this.#options.store.run(request.id);
    const run = await requestedRun(request, by, this.#options, this.#frame, existing);
    const { id } = run;
    if (existing === undefined) {
      if (this.#active.has(id)) throw elsewhere(id);
      // From here on it counts as driven: it could be found in the store, and taken, before the answer that it is there comes.
      const active = this.#activate(id);
      try {
        active.adopt(await this.#options.store.insertRun(run, this.#ownership.id));
      } catch (error) {
        if (this.#active.get(id) === active) this.#drop(id);
        throw error;
      }
    } else if (!isSameRun(existing, run)) {
      throw new PacelineError('PACELINE_CONFLICT', `There is another run ${id}`, { hint: 'Leave the id out, or make a new one.' });
    }
    return { run: await this.runDetail(id), token: runToken(this.#options.key, id) };
  }

  async listRuns(options: RunFilter): Promise<RunSummary[]> {
    return (await this.#options.store.list(options)).map(summarise);
  }

  /**
   * The run that people mean by an id, the beginning of one, or a name (the newest of that name).
   * @param sees which runs count: what is not seen is not there
   * @throws PACELINE_NOT_FOUND, PACELINE_CONFLICT when it can mean several
   */
  resolveRun(text: string, sees?: (run: RunListEntry) => boolean): Promise<string> {
    return whichRun(this.#options.store, text, sees);
  }

  /** The run's data, also when it has ended. Who drives it goes on changing it: see `see`. @throws PACELINE_NOT_FOUND */
  run(id: string): Promise<Run> {
    return this.see(id, (run) => run);
  }

  /**
   * What somebody makes of a run's data, told once all of it is stored.
   * @param look is called at once when the run is driven here: what comes after that may not be stored yet
   * @throws PACELINE_NOT_FOUND, and what `look` throws
   */
  async see<T>(id: string, look: (run: Run) => T): Promise<T> {
    // While it is read again, the store knows best.
    const seen = await this.#active
      .get(id)
      ?.see((run) => ({ what: look(run) }))
      .catch(() => undefined);
    return seen === undefined ? look(await storedRun(this.#options.store, id)) : seen.what;
  }

  async runDetail(id: string): Promise<RunDetail> {
    return this.see(id, (run) => detail(run, this.#active.get(id)?.sight ?? nothingLive));
  }

  /** A run that has not ended. @throws PACELINE_RUN_ENDED, PACELINE_NOT_FOUND */
  async activeRun(id: string): Promise<ActiveRun> {
    const active = this.#active.get(id);
    if (active !== undefined) return active;
    const run = await storedRun(this.#options.store, id);
    if (!hasEnded(run)) throw elsewhere(id);
    throw new PacelineError('PACELINE_RUN_ENDED', `The run ${id} has ended: it is ${run.facts.state}`);
  }

  /**
   * Ends a run and its machines; one that has ended already stays as it is.
   * @throws PACELINE_STORE_FAILED when it is not driven here
   */
  async terminate(id: string, by: string): Promise<void> {
    const active = this.#active.get(id);
    if (active !== undefined) await active.terminate(by);
    else if ((await this.#options.store.ownerOf(id)) !== undefined) throw elsewhere(id);
  }

  /** The active run, if the run is active. */
  findActive(id: string): ActiveRun | undefined {
    return this.#active.get(id);
  }

  /** The address of the replica that drives a run, when it is another one. */
  async ownerUrl(run: string): Promise<string | undefined> {
    return this.#active.has(run) ? undefined : this.#ownership.urlOf(run);
  }

  /** Calls back with each run in which something happens; see `Feeds.watch`. */
  watchRuns(changed: (run: string) => void): () => void {
    return this.#feeds.watch(changed);
  }

  /** What happens in a run, after a cursor, until it has ended or the signal is aborted. */
  followEvents(run: string, after: number, signal: AbortSignal): AsyncGenerator<RunEvent[]> {
    return this.#feeds.follow(run, ({ events }) => events, after, signal);
  }

  /** What the scripts of a run print, in the same way. */
  followLogs(run: string, after: number, signal: AbortSignal): AsyncGenerator<LogChunk[]> {
    return this.#feeds.follow(run, ({ logs }) => logs, after, signal);
  }

  /** Whether a token is the one that was given out with the run. */
  tokenMatches(run: string, token: string): boolean {
    const [expected, given] = [runToken(this.#options.key, run), token].map((text) => Buffer.from(sha256(text)));
    return expected !== undefined && given !== undefined && timingSafeEqual(expected, given);
  }

  /** Lets a machine in. @throws PACELINE_JOIN_REFUSED */
  async join(request: JoinRequest): Promise<JoinResponse> {
    const { run: id, instance: name, keyHash } = request;
    const active = this.#active.get(id);
    if (active === undefined && (await this.#options.store.ownerOf(id)) !== undefined) throw elsewhere(id);
    if (active === undefined || !active.run.instances.has(name))
      throw new PacelineError('PACELINE_JOIN_REFUSED', `Nobody waits for ${name}`);
    let refused: PacelineError | undefined;
    await active.decide((run, now) => {
      const decision = decideJoin(run, instanceOf(run, name), request, this.#options.key, now);
      refused = decision.refused;
      return decision.changes;
    });
    if (refused !== undefined) throw refused;
    this.#agents.add(keyHash, id, name);
    return { run: id, instance: name, ...this.#tunnels.greeting(id, instanceOf(active.run, name)) };
  }

  /**
   * The agent that a key belongs to.
   * @throws PACELINE_UNAUTHENTICATED, PACELINE_STORE_FAILED when the key may be of a run that is not driven here yet
   */
  async authenticate(key: string): Promise<Agent> {
    const { run, instance } = this.#agents.find(key);
    const active = run === undefined ? undefined : this.#active.get(run);
    if (active !== undefined && instance !== undefined) return new Agent(active, instance, this.reports, this.store);
    // An agent that is turned away does not come back: not while it is unknown only because its run is not loaded, or another's by now.
    const isKnown = active?.isLoaded === true && this.#ownership.holds;
    if (run !== undefined && !isKnown && (await this.#options.store.ownerOf(run)) !== undefined) throw elsewhere(run);
    throw new PacelineError('PACELINE_UNAUTHENTICATED', 'This key does not belong to an agent');
  }

  /** Asks all clouds whether they answer, and what can be had there. */
  surveyClouds(): Promise<CloudSurvey[]> {
    return surveyClouds(this.#options.clouds, this.#frame, this.store);
  }

  /** Finds what the clouds have of this engine's that no run needs. @param remove and removes it @param runs only of these runs */
  reap(remove: boolean, runs?: readonly string[]): Promise<ReapReport> {
    const { clouds, store, ownerTag } = this.#options;
    return new Reaper({ ...this.#frame, clouds, store, engineId: this.#engineId, shared: ownerTag !== undefined }).reap(remove, runs);
  }

  /** Leaves all runs as they are, for the next engine. */
  async close(): Promise<void> {
    await this.#ownership.halt();
    await this.#deaf();
    await this.#retention.stop();
    await Promise.all([...this.#active.values()].map((active) => active.stop()));
    this.#tunnels.close();
    await this.#journal.settled();
    this.#active.clear();
    await this.#ownership.release().catch((error: unknown) => this.#options.log.warn(`the runs are not let go: ${String(error)}`));
    await this.#options.store.close();
  }

  #activate(id: string): ActiveRun {
    const { clouds, key, agentSha256, log, random = Math.random, store } = this.#options;
    const active = new ActiveRun(id, {
      clock: this.#clock,
      journal: this.#journal,
      store,
      feeds: this.#feeds.of(id),
      warn: (message) => log.warn(message),
      holds: () => this.#ownership.holds,
      me: () => this.#ownership.id,
      loaded: (run) => this.#agents.addRun(run),
      lost: () => this.#drop(id),
      ended: (run) => this.#drop(run.id),
      reach: (run) => this.#tunnels.keep(run),
      keeper: {
        ...this.#frame,
        holds: () => this.#ownership.holds,
        clouds,
        random,
        engineId: this.#engineId,
        engineKey: key,
        agentSha256,
        images: store.images,
        runtime: async () => this.#options.runtime?.(),
        url: () => this.#options.url(),
      },
    });
    this.#active.set(id, active);
    if (this.#started) active.start();
    return active;
  }

  /** A run has ended, or somebody else drives it. */
  #drop(id: string): void {
    void this.#active.get(id)?.stop();
    this.#active.delete(id);
    this.#tunnels.drop(id);
    this.#feeds.release(id);
    // Who follows it here has missed what others have done with it, and how it ended.
    this.#tellFollowers([id]);
    this.#agents.dropRun(id);
    if (this.#active.size === 0) this.#idle();
  }

  #tellFollowers(runs: readonly string[] | 'all'): void {
    this.#feeds.heard(runs).catch((error: unknown) => this.#options.log.warn(`what other replicas did is not told: ${String(error)}`));
  }

  #hear({ runs = [], released }: News): void {
    this.#tellFollowers(runs);
    if (released === true) this.#ownership.look();
  }
}
