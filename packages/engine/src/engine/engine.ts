import { randomBytes, randomUUID } from 'node:crypto';
import type { CreatedRun, JoinRequest, JoinResponse, ReportProgress, RunDetail, RunRequest, RunSummary } from '@paceline/api';
import { PacelineError, planRun, withDigests } from '@paceline/model';
import type { Readable } from 'node:stream';
import { decideJoin } from '../agents/join.ts';
import { LogBook } from '../agents/log-book.ts';
import type { ConnectorLog } from '../connector/index.ts';
import type { Clouds } from '../launch/clouds.ts';
import { place } from '../placement/place.ts';
import { ReportFiles, type ReportPart } from '../reports/report-files.ts';
import { createRun } from '../run/create.ts';
import { sha256 } from '../run/script-digest.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { Journal } from '../store/journal.ts';
import type { RunStore, StoredReport } from '../store/run-store.ts';
import { ActiveRun } from './active-run.ts';
import { systemClock, type Clock } from './clock.ts';
import { detail, nothingLive, summarise } from './run-view.ts';
import { scriptOf } from './scripts.ts';

export interface EngineOptions {
  store: RunStore;
  clouds: Clouds;
  reports: ReportFiles;
  log: ConnectorLog;
  /** 32 bytes that only this engine has. */
  key: Buffer;
  /** SHA-256 of the agent bundle that machines have to fetch. */
  agentSha256: string;
  /** Where machines reach this engine; asked at each launch. */
  url(): string;
  clock?: Clock;
  random?: () => number;
}

/** One agent that has shown its key. */
export interface Agent {
  active: ActiveRun;
  instance: Instance;
}

/**
 * Drives all runs of a store. The only state it has that is not in the store is what connected agents and clients have to tell it
 * again anyway; it may be killed between any two instructions and opened again.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #active = new Map<string, ActiveRun>();
  readonly #agents = new Map<string, { run: string; instance: string }>();
  readonly #stop = new AbortController();
  readonly #engineId: string;
  readonly #reloading = new Set<string>();
  #started = false;
  #idle = (): void => {};

  private constructor(options: EngineOptions, engineId: string) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#engineId = engineId;
    this.#journal = new Journal(options.store, {
      committed: (run, writes) => this.#active.get(run.id)?.committed(writes),
      failed: (run, error) => void this.#reload(run, error),
    });
  }

  static async open(options: EngineOptions): Promise<Engine> {
    return new Engine(options, await options.store.setting('engine-id', () => randomUUID()));
  }

  /** Loads every run that has not ended, so that its agents are known before they call. */
  async load(): Promise<void> {
    for (const id of await this.#options.store.activeRuns()) await this.#activate(id);
  }

  /** Goes on with the loaded runs. To be called once agents can reach the engine. */
  start(): void {
    this.#started = true;
    for (const active of this.#active.values()) active.start();
  }

  get clouds(): string[] {
    return this.#options.clouds.names;
  }

  /** True while a run is under way. */
  get busy(): boolean {
    return this.#active.size > 0;
  }

  /** Calls back each time the last active run has ended. */
  onIdle(callback: () => void): void {
    this.#idle = callback;
  }

  /** @throws PACELINE_REQUEST_INVALID, PACELINE_CLOUD_UNKNOWN */
  async createRun(request: RunRequest, by: string): Promise<CreatedRun> {
    const { name, parameters = {}, cloud, keepRunning, timeoutMs, lifetimeMs, tags = [] } = request;
    // Digests name what machines are made of: they are worked out here, not believed.
    const deployment = withDigests(request.deployment);
    const changes = { cloud, keepRunning, timeoutMs, lifetimeMs };
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const plan = place(planRun(deployment, { parameters, ...given, knownClouds: this.clouds }), this.clouds);
    for (const node of Object.values(plan.nodes)) this.#options.clouds.get(node.cloud);
    const run = createRun({ id: randomUUID(), name: name ?? deployment.name, plan, by, tags, now: this.#clock.now() });
    const token = `plr_${randomBytes(24).toString('base64url')}`;
    await this.#options.store.insertRun(run, sha256(token));
    const active = this.#adopt(run, new LogBook());
    await active.decide((_run, now) => [
      { kind: 'event', at: now, body: { type: 'run.created', severity: 'info', message: `Created by ${by}`, data: { by } } },
    ]);
    return { run: detail(run, active), token };
  }

  async listRuns(options: { activeOnly?: boolean; limit?: number; offset?: number }): Promise<RunSummary[]> {
    return (await this.#options.store.list(options)).map(summarise);
  }

  /**
   * The run that people mean by an id, the beginning of one, or a name (the newest of that name).
   * @throws PACELINE_NOT_FOUND
   */
  async resolveRun(text: string): Promise<string> {
    const found = await this.#options.store.find(text);
    const exact = found.filter(({ id, name }) => id === text || name === text);
    const [first] = exact.length > 0 ? exact : found;
    if (first === undefined)
      throw new PacelineError('PACELINE_NOT_FOUND', `There is no run ${text}`, { hint: '`paceline list` shows all runs.' });
    if (exact.length === 0 && found.length > 1) {
      throw new PacelineError('PACELINE_CONFLICT', `${text} can mean ${found.map(({ id }) => id).join(', ')}`, {
        hint: 'Give more of its id.',
      });
    }
    return first.id;
  }

  async runDetail(id: string): Promise<RunDetail> {
    const active = this.#active.get(id);
    return active === undefined ? detail(await this.#stored(id), nothingLive) : detail(active.run, active);
  }

  /** The run's data, also when it has ended. @throws PACELINE_NOT_FOUND */
  async run(id: string): Promise<Run> {
    return this.#active.get(id)?.run ?? this.#stored(id);
  }

  /** A run that has not ended. @throws PACELINE_RUN_ENDED, PACELINE_NOT_FOUND */
  async activeRun(id: string): Promise<ActiveRun> {
    const active = this.#active.get(id);
    if (active !== undefined) return active;
    const run = await this.#stored(id);
    throw new PacelineError('PACELINE_RUN_ENDED', `The run ${id} has ended: it is ${run.facts.state}`);
  }

  /** The active run, if the run is active. */
  findActive(id: string): ActiveRun | undefined {
    return this.#active.get(id);
  }

  get store(): RunStore {
    return this.#options.store;
  }

  get clock(): Clock {
    return this.#clock;
  }

  get reports(): ReportFiles {
    return this.#options.reports;
  }

  async tokenMatches(run: string, token: string): Promise<boolean> {
    return (await this.#options.store.tokenHash(run)) === sha256(token);
  }

  /** Lets a machine in. @throws PACELINE_JOIN_REFUSED */
  async join(request: JoinRequest): Promise<JoinResponse> {
    const active = this.#active.get(request.run);
    const instance = active?.run.instances.get(request.instance);
    if (active === undefined || instance === undefined)
      throw new PacelineError('PACELINE_JOIN_REFUSED', `Nobody waits for ${request.instance}`);
    let refused: PacelineError | undefined;
    await active.decide((run, now) => {
      const decision = decideJoin(run, instance, request, this.#options.key, now);
      refused = decision.refused;
      return decision.changes;
    });
    if (refused !== undefined) throw refused;
    this.#agents.set(request.keyHash, { run: request.run, instance: request.instance });
    return { run: request.run, instance: request.instance };
  }

  /** The agent that a key belongs to. @throws PACELINE_UNAUTHENTICATED, PACELINE_RUN_ENDED */
  authenticate(key: string): Agent {
    const who = this.#agents.get(sha256(key));
    if (who === undefined) throw new PacelineError('PACELINE_UNAUTHENTICATED', 'This key does not belong to an agent');
    const active = this.#active.get(who.run);
    const instance = active?.run.instances.get(who.instance);
    if (active !== undefined && instance !== undefined) return { active, instance };
    if (this.#reloading.has(who.run))
      throw new PacelineError('PACELINE_STORE_FAILED', `The run ${who.run} is being read again from the store`);
    throw new PacelineError('PACELINE_RUN_ENDED', `The run ${who.run} has ended`);
  }

  /** The text of a script of an agent's run. @throws PACELINE_NOT_FOUND */
  script({ active }: Agent, digest: string): string {
    const text = scriptOf(active.run.plan, digest);
    if (text === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `The run has no script with the digest ${digest}`);
    return text;
  }

  /** How much of one of its reports an agent has sent. @throws PACELINE_FORBIDDEN, PACELINE_NOT_FOUND */
  async reportProgress({ active, instance }: Agent, name: string): Promise<ReportProgress> {
    checkReportName(instance, name);
    return this.reports.progress(active.run.id, name);
  }

  /** Takes a part of a report. @throws PACELINE_FORBIDDEN for a name that is not of this agent's instance */
  async receiveReport({ active, instance }: Agent, name: string, part: ReportPart, body: Readable): Promise<ReportProgress> {
    checkReportName(instance, name);
    const progress = await this.reports.append(active.run.id, name, part, body);
    if (!progress.complete) return progress;
    const report: StoredReport = { name, instance: instance.name, bytes: part.size, sha256: part.sha256, at: this.#clock.now() };
    this.#journal.recordReport(active.run, report);
    await active.decide((_run, at) => [
      {
        kind: 'event',
        at,
        body: {
          type: 'report.received',
          severity: 'info',
          message: `${instance.name}: report ${name}, ${part.size} bytes`,
          data: { instance: instance.name, name, bytes: part.size },
        },
      },
    ]);
    return progress;
  }

  /** Leaves all runs as they are, for the next engine. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const active of this.#active.values()) active.stop();
    await this.#journal.stored().catch(() => {});
    this.#active.clear();
    await this.#options.store.close();
  }

  async #stored(id: string): Promise<Run> {
    const run = await this.#options.store.run(id);
    if (run === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `There is no run ${id}`);
    return run;
  }

  async #activate(id: string): Promise<void> {
    const run = await this.#stored(id);
    const active = this.#adopt(run, await LogBook.open(this.#options.store, id));
    if (this.#started) active.start();
  }

  #adopt(run: Run, book: LogBook): ActiveRun {
    const { clouds, key, agentSha256, log } = this.#options;
    const active = new ActiveRun(run, book, {
      clock: this.#clock,
      journal: this.#journal,
      store: this.#options.store,
      keeper: {
        clouds,
        engineId: this.#engineId,
        engineKey: key,
        agentSha256,
        url: () => this.#options.url(),
        random: this.#options.random ?? Math.random,
        context: { signal: this.#stop.signal, log, now: () => this.#clock.now() },
      },
      ended: (ended) => this.#ended(ended),
    });
    this.#active.set(run.id, active);
    for (const { keyHash, name } of run.instances.values())
      if (keyHash !== null) this.#agents.set(keyHash, { run: run.id, instance: name });
    return active;
  }

  #ended(run: Run): void {
    this.#active.get(run.id)?.stop();
    this.#active.delete(run.id);
    for (const { keyHash } of run.instances.values()) if (keyHash !== null) this.#agents.delete(keyHash);
    if (this.#active.size === 0) this.#idle();
  }

  /** A commit failed: what is in memory is ahead of the store, so it is thrown away and read again. */
  async #reload(run: Run, error: unknown): Promise<void> {
    this.#options.log.warn(`run ${run.id} is read again from the store: ${String(error)}`);
    if (this.#reloading.has(run.id)) return;
    this.#reloading.add(run.id);
    this.#active.get(run.id)?.stop();
    this.#active.delete(run.id);
    for (let wait = 100; !this.#stop.signal.aborted; wait = Math.min(wait * 2, 10_000)) {
      try {
        await this.#activate(run.id);
        this.#reloading.delete(run.id);
        return;
      } catch (cause) {
        this.#options.log.warn(`run ${run.id} cannot be read: ${String(cause)}`);
        await new Promise<void>((resolve) => void this.#clock.after(wait, resolve));
      }
    }
  }
}

function checkReportName({ name: instance }: Instance, name: string): void {
  if (ReportFiles.instanceOf(name) === instance) return;
  throw new PacelineError('PACELINE_FORBIDDEN', `A report of ${instance} cannot be named ${name}`);
}
