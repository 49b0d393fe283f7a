import { Clouds, createCipher, Engine, RunStore, type ReapReport } from '@paceline/engine';
import { Process } from '../kernel/process.ts';
import type { World } from '../world.ts';
import { CloudLine } from '../clouds/connector.ts';
import { Door } from './door.ts';
import { SimulatedReports } from './reports.ts';

/** What all processes of the engine share beside the database. */
export interface Installation {
  key: Buffer;
  reports: Map<string, number>;
}

/** One process of the engine, from its start to its end. */
export class Replica {
  readonly process: Process;
  readonly place: string;
  readonly #world: World;
  readonly #installation: Installation;
  readonly #ends = new Set<() => void>();
  #engine: Engine | undefined;
  #door: Door | undefined;

  /** @param place what its host is called on the network */
  constructor(world: World, place: string, name: string, installation: Installation) {
    const { faults, kernel } = world;
    const skewMs = faults.strikes('engine.skew', 0.7) ? faults.dice('engine.skew').whole(-3000, 3000) : 0;
    this.process = new Process(kernel, name, skewMs);
    this.place = place;
    this.#world = world;
    this.#installation = installation;
    this.process.onDeath(() => {
      this.#door = undefined;
      for (const end of [...this.#ends]) end();
    });
  }

  /** It answers. */
  get isOpen(): boolean {
    return this.#door !== undefined;
  }

  start(): void {
    this.#world.trace?.add(this.process.name, 'starts');
    this.process.enter(() => {
      this.#main().catch((error: unknown) => {
        this.#world.trace?.add(this.process.name, `cannot start: ${String(error)}`);
        this.process.kill();
      });
    });
  }

  enter(action: () => void): void {
    this.process.enter(action);
  }

  /** Hands it something to answer. @returns false when nobody listens */
  take(action: (door: Door) => void): boolean {
    const door = this.#door;
    if (door === undefined) return false;
    this.process.enter(() => action(door));
    return true;
  }

  /** Calls back when the process ends. @returns what takes it back */
  onDeath(callback: () => void): () => void {
    if (this.process.isDead) {
      callback();
      return () => {};
    }
    this.#ends.add(callback);
    return () => void this.#ends.delete(callback);
  }

  /** Ends as a server that is told to: it stops listening, and leaves its runs to others. */
  close(): void {
    const { trace } = this.#world;
    trace?.add(this.process.name, 'closes');
    this.#door = undefined;
    const engine = this.#engine;
    if (engine === undefined) return this.process.kill();
    for (const end of [...this.#ends]) end();
    this.process.enter(() => {
      engine
        .close()
        .catch((error: unknown) => this.#world.checks.fail('an engine can be closed', String(error)))
        .finally(() => this.process.kill());
    });
  }

  /** Looks for what nobody needs, and removes it. */
  reap(done: (report: ReapReport) => void): void {
    const engine = this.#engine;
    if (engine === undefined || this.#door === undefined) return;
    this.process.enter(() => void this.#reap(engine, done));
  }

  /** Whether a run is driven here, as far as this process knows. */
  drives(run: string): boolean {
    return this.#engine?.findActive(run) !== undefined;
  }

  async #reap(engine: Engine, done: (report: ReapReport) => void): Promise<void> {
    try {
      done(await engine.reap(true));
    } catch {
      // The next round finds what this one has left.
    }
  }

  async #main(): Promise<void> {
    const { store, clouds, checks, trace, random } = this.#world;
    const { key, reports } = this.#installation;
    const { process } = this;
    const chance = random.fork(process.name);
    const engine = new Engine({
      store: await RunStore.open(store.portOf(process), createCipher(key)),
      clouds: new Clouds(clouds.map((cloud) => ({ name: cloud.name, connector: new CloudLine(this.#world, cloud, process).connector }))),
      reports: new SimulatedReports(this.#world, reports),
      log: {
        info: () => {},
        warn: (message) => {
          trace?.add(process.name, `warns: ${message}`);
          checks.warned(process, message);
        },
      },
      key,
      agentSha256: 'a'.repeat(64),
      url: () => 'http://engine.test',
      clock: process.clock,
      random: () => chance.next(),
    });
    await engine.load();
    this.#engine = engine;
    this.#door = new Door(this.#world, process, engine);
    engine.start();
  }
}
