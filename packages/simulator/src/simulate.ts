import { createCipher, openDatabase as open, RunStore, type Database } from '@paceline/engine';
import { Checks, type Violation } from './checks/checks.ts';
import type { RareEvent } from './checks/coverage.ts';
import { SimulatedCloud } from './clouds/cloud.ts';
import type { CloudMachine } from './clouds/machine.ts';
import { Cluster } from './engines/cluster.ts';
import { chooseFaults, Faults, type FaultMix, type Mix } from './faults/faults.ts';
import type { FaultKind } from './faults/kinds.ts';
import { Kernel, type Ending } from './kernel/kernel.ts';
import { Random } from './kernel/random.ts';
import { Trace } from './kernel/trace.ts';
import { Host } from './machines/host.ts';
import { Network } from './network/network.ts';
import { Operator } from './people/operator.ts';
import { User } from './people/user.ts';
import { SimulatedStore } from './store/store.ts';
import { generateSystem } from './systems/generate.ts';
import type { World } from './world.ts';

export interface Options {
  /** Keeps a trace. */
  traced?: boolean;
  /** Leaves these kinds of faults out, and everything else as it is. */
  without?: ReadonlySet<FaultKind>;
  /** Starts no more runs than this, of those that the seed has. */
  runs?: number;
  /** Emptied and used; by default one is opened. */
  database?: Database;
}

export interface Outcome {
  seed: number;
  violation: Violation | undefined;
  trace: Trace | undefined;
  faults: ReadonlyMap<FaultKind, number>;
  states: ReadonlyMap<string, number>;
  ends: ReadonlyMap<string, number>;
  seen: ReadonlyMap<RareEvent, number>;
  mix: FaultMix;
  runs: number;
  events: number;
  /** Milliseconds of virtual time. */
  elapsed: number;
}

const engineKey = Buffer.alloc(32, 7);
const limits = { ms: 90 * 60_000, events: 400_000 };
const tick = 2000;

/** Opens a database for any number of simulations, one after the other. */
export async function openDatabase(): Promise<Database> {
  const database = await open(':memory:');
  await RunStore.open(database, createCipher(engineKey));
  return database;
}

/** The faults of a seed. */
export function faultsOf(seed: number): Mix {
  return chooseFaults(new Random(seed).fork('mix'));
}

/** One world from a seed, from its beginning until nothing is left in it. */
export async function simulate(seed: number, options: Options = {}): Promise<Outcome> {
  const database = options.database ?? (await openDatabase());
  await empty(database);
  const world = new Simulation(seed, database, await isDurable(database), options);
  try {
    return await world.run();
  } finally {
    if (options.database === undefined) await database.close();
  }
}

class Simulation implements World {
  readonly kernel = new Kernel();
  readonly random: Random;
  readonly faults: Faults;
  readonly trace: Trace | undefined;
  readonly checks: Checks;
  readonly store: SimulatedStore;
  readonly network: Network;
  readonly clouds: SimulatedCloud[];
  readonly cluster: Cluster;
  readonly #seed: number;
  readonly #database: Database;
  readonly #users: User[];
  readonly #operator: Operator;
  readonly #hosts = new Map<string, Host>();
  #reapings = 0;
  #healed = false;

  constructor(
    seed: number,
    database: Database,
    durable: boolean,
    { traced = false, without = new Set(), runs = Number.POSITIVE_INFINITY }: Options,
  ) {
    this.#seed = seed;
    this.#database = database;
    this.random = new Random(seed);
    this.trace = traced ? new Trace(this.kernel) : undefined;
    const shape = this.random.fork('shape');
    const healAt = shape.between(40_000, 200_000);
    const { kinds: mix, takeover } = faultsOf(seed);
    for (const kind of without) mix.delete(kind);
    this.faults = new Faults(this.kernel, this.random, mix, healAt, this.trace);
    this.checks = new Checks(this.kernel, engineKey, healAt, this.trace);
    const shared = shape.chance(takeover ? 0.9 : 0.25);
    this.store = new SimulatedStore(this, database, shared, durable);
    this.network = new Network(this);
    const names = shape.pick([['east'], ['east', 'west']]);
    this.clouds = names.map((name) => new SimulatedCloud(this, name, this.#machineHooks()));
    this.cluster = new Cluster(this, shared ? shape.pick([1, 2, 2, 2, 3]) : 1);
    const count = shape.pick([1, 1, 2, 2, 3]);
    this.#users = Array.from({ length: count }, (_, index) => {
      const system = generateSystem(this.random.fork(`system ${index + 1}`), names);
      this.trace?.name(system.id, `run${index + 1}`);
      this.checks.expect(system);
      return new User(this, system, `user${index + 1}`);
    }).slice(0, runs);
    this.#operator = new Operator(this, this.#hosts);
    this.trace?.add(
      'world',
      `${[...mix].map(([kind, rate]) => `${kind} x ${rate}`).join(', ') || 'no faults'}; heals at ${Math.round(healAt / 1000)} s`,
    );
  }

  async run(): Promise<Outcome> {
    const onRejection = (error: unknown): void => this.checks.fail('the engine leaves no error unhandled', stackOf(error));
    process.on('unhandledRejection', onRejection);
    this.cluster.start();
    this.#users.forEach((user) => user.start());
    this.#operator.start();
    this.kernel.after(tick, () => this.#look());
    try {
      this.#judge(await this.kernel.run(limits));
    } catch (error) {
      this.checks.fail('the engine throws nothing at its clock', stackOf(error));
    } finally {
      process.off('unhandledRejection', onRejection);
    }
    const { runs, violation } = this.checks;
    return {
      seed: this.#seed,
      violation,
      trace: this.trace,
      faults: this.faults.counts,
      mix: this.faults.mix,
      states: runs.states,
      ends: runs.ends,
      seen: this.checks.seen,
      runs: this.#users.length,
      events: this.kernel.count,
      elapsed: this.kernel.elapsed,
    };
  }

  /** Whether all is over; then whatever is left is removed, and nothing may be left after that. */
  #look(): void {
    if (!this.#users.every(({ isDone }) => isDone)) return void this.kernel.after(tick, () => this.#look());
    this.#heal();
    if (!this.clouds.every(({ isQuiet }) => isQuiet)) return void this.kernel.after(tick, () => this.#look());
    if (this.#reapings++ < 3 && !this.checks.machines.isClean(this.clouds)) {
      this.#operator.reap(() => {});
      return void this.kernel.after(15_000, () => this.#look());
    }
    this.kernel.touch();
    void this.#finish();
  }

  async #finish(): Promise<void> {
    const [difference] = await this.checks.stored.differences(this.#database);
    if (difference !== undefined) this.checks.fail('what is stored is what was written', difference);
    this.checks.finish(this.clouds, this.faults.mix.size === 0);
    this.kernel.stop();
  }

  #heal(): void {
    if (this.#healed) return;
    this.#healed = true;
    this.faults.heal();
    this.network.heal();
    this.store.heal();
    this.#operator.stop();
  }

  #judge(ending: Ending): void {
    if (ending === 'stopped') return;
    const left = this.#users
      .filter(({ isDone }) => !isDone)
      .map(({ run }) => `${run} is ${this.checks.runOf(run)?.facts.state ?? 'not there'}`);
    this.checks.fail('every run ends', `${ending}: ${left.join(', ') || 'clouds are not quiet'}`);
  }

  #machineHooks(): ConstructorParameters<typeof SimulatedCloud>[2] {
    const hostOf = (machine: CloudMachine): Host | undefined => this.#hosts.get(machine.id);
    return {
      boot: (machine) => {
        const host = new Host(this, machine);
        this.#hosts.set(machine.id, host);
        host.boot();
      },
      reboot: (machine) => hostOf(machine)?.reboot(),
      powerOff: (machine) => hostOf(machine)?.powerOff(),
    };
  }
}

async function empty(database: Database): Promise<void> {
  const tables = await database.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_versions' ORDER BY name", []);
  await database.transaction(tables.map(({ name }) => ({ sql: `DELETE FROM ${String(name)}`, values: [] })));
}

/** SQLite has a commit on disk before it says so when `synchronous` is FULL, which is 2, or more. */
async function isDurable(database: Database): Promise<boolean> {
  const [row] = await database.all('PRAGMA synchronous', []);
  return Number(row?.['synchronous']) >= 2;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
