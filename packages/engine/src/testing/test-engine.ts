import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Op, StreamEvents } from '@paceline/api';
import type { Budget, RunPlan } from '@paceline/model';
import { expect, vi } from 'vitest';
import { Engine } from '../engine/engine.ts';
import type { Clock } from '../clock.ts';
import { ConnectorError } from '../connector/index.ts';
import { Clouds } from '../launch/clouds.ts';
import { ReportFiles } from '../reports/report-files.ts';
import type { Database } from '../store/database.ts';
import { RunStore } from '../store/run-store.ts';
import { openSqlite } from '../store/sqlite.ts';
import { createCipher } from '../store/value-cipher.ts';
import { createRun } from '../run/create.ts';
import { sha256 } from '../run/script-digest.ts';
import { bootConfig } from './boot-config.ts';
import { FakeCloud } from './fake-cloud.ts';
import { clientServerPlan } from './plans.ts';

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  #setBy = 0;
  #timers = new Set<{ at: number; callback: () => void }>();
  /** How many timers have gone off. */
  fired = 0;

  now(): number {
    return this.#now + this.#setBy;
  }

  elapsed(): number {
    return this.#now;
  }

  /** Somebody sets the clock. */
  set(byMs: number): void {
    this.#setBy += byMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue;
      this.fired += 1;
      timer.callback();
    }
  }
}

/** A database that survives the engine, and can be told to fail. */
export class TestDatabase implements Database {
  /** Of a shared store there may be several engines at once. */
  shared = false;
  readonly dialect = 'sqlite';
  readonly #inner = openSqlite(':memory:');
  failure: Error | undefined;
  /** What transactions wait for. */
  gate: Promise<void> = Promise.resolve();

  all: Database['all'] = (sql, values) => this.#inner.all(sql, values);

  async transaction(...args: Parameters<Database['transaction']>): Promise<void> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    return this.#inner.transaction(...args);
  }

  listen: Database['listen'] = (listener) => this.#inner.listen(listener);

  async close(): Promise<void> {}
}

/** The time of one process, which can be put to sleep or killed. */
class ProcessClock implements Clock {
  readonly #time: ManualClock;
  readonly #held: (() => void)[] = [];
  state: 'awake' | 'asleep' | 'dead' = 'awake';

  constructor(time: ManualClock) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now();
  }

  elapsed(): number {
    return this.#time.elapsed();
  }

  after(ms: number, callback: () => void): () => void {
    return this.#time.after(ms, () => this.#run(callback));
  }

  soon(callback: () => void): void {
    this.#time.soon(() => this.#run(callback));
  }

  wake(): void {
    this.state = 'awake';
    for (const callback of this.#held.splice(0)) callback();
  }

  #run(callback: () => void): void {
    if (this.state === 'awake') callback();
    else if (this.state === 'asleep') this.#held.push(callback);
  }
}

const clocks = new WeakMap<Engine, ProcessClock>();

/** Stops a process in its tracks, for good or until it is woken up. */
export function freeze(engine: Engine, state: 'asleep' | 'dead'): void {
  const clock = clocks.get(engine);
  if (clock !== undefined) clock.state = state;
}

export function wake(engine: Engine): void {
  clocks.get(engine)?.wake();
}

export interface World {
  clock: ManualClock;
  database: TestDatabase;
  cloud: FakeCloud;
  /** More clouds, by name, after the one that is called `test`. */
  others?: Record<string, FakeCloud>;
  /** Names of those that engines cannot open. */
  closed?: string[];
  warnings: string[];
  /** The most that each run may cost. */
  budget?: Budget;
  /** The key of the engine, unless it is the usual one. */
  key?: Buffer;
  /** Chance, where a test needs some. @default 0.5 */
  random?: () => number;
}

export const key = Buffer.alloc(32, 7);

export function newWorld(): World {
  return { clock: new ManualClock(), database: new TestDatabase(), cloud: new FakeCloud(), warnings: [] };
}

/** A real engine on a real SQLite in memory, with a fake cloud. Opening it twice on one world is a restart. */
export async function openEngine(world: World, beforeStart = (): void => {}): Promise<Engine> {
  const clock = new ProcessClock(world.clock);
  const engine = new Engine({
    store: await RunStore.open(world.database, createCipher(world.key ?? key)),
    clouds: new Clouds(
      Object.entries({ test: world.cloud, ...world.others }).map(([name, { connector }]) =>
        world.closed?.includes(name) === true
          ? { name, connector: connector.info.name, why: new ConnectorError('unavailable', 'no route to host') }
          : { name, connector },
      ),
    ),
    reports: new ReportFiles(await mkdtemp(join(tmpdir(), 'paceline-reports-')), 1024 * 1024),
    log: { info: () => {}, warn: (message) => world.warnings.push(message) },
    key: world.key ?? key,
    ...(world.budget !== undefined && { budget: world.budget }),
    agentSha256: 'a'.repeat(64),
    url: () => 'http://127.0.0.1:1',
    clock,
    random: () => world.random?.() ?? 0.5,
  });
  clocks.set(engine, clock);
  await engine.load();
  beforeStart();
  engine.start();
  return engine;
}

/** Starts a run of a plan as `createRun` would, without a module behind it. */
export async function startRun(world: World, plan: RunPlan, id = 'a1b2c3d4-0000-4000-8000-000000000000'): Promise<string> {
  const store = await RunStore.open(world.database, createCipher(key));
  await store.insertRun(createRun({ id, name: 'test', plan, by: 'tester', tags: [], now: world.clock.now() }), 'nobody');
  return id;
}

/** What an agent sees and says, without HTTP. */
export class TestAgent {
  readonly events: { [E in keyof StreamEvents]: { event: E; data: StreamEvents[E] } }[keyof StreamEvents][] = [];
  /** How often the engine closed the link. */
  closed = 0;
  readonly #engine: Engine;
  readonly #key: string;
  #lastOp = 0;
  #hello = Promise.withResolvers<string>();
  disconnect = (): void => {};

  constructor(engine: Engine, agentKey: string) {
    this.#engine = engine;
    this.#key = agentKey;
  }

  connect(): this {
    const hello = Promise.withResolvers<string>();
    this.#hello = hello;
    void this.#engine
      .authenticate(this.#key)
      .then((agent) => {
        this.disconnect = agent.connect(() => ({
          send: (event, data) => {
            this.events.push({ event, data } as (typeof this.events)[number]);
            if (event !== 'hello') return;
            const { session, lastOp } = data as StreamEvents['hello'];
            this.#lastOp = lastOp;
            hello.resolve(session);
          },
          close: () => {
            this.closed += 1;
            this.disconnect();
          },
        }));
      })
      .catch(hello.reject);
    hello.promise.catch(() => {});
    return this;
  }

  /** The name of its newest connection, once it has been greeted. */
  get session(): Promise<string> {
    return this.#hello.promise;
  }

  async say(...ops: (Op extends infer O ? (O extends Op ? Omit<O, 'id'> & { id?: number } : never) : never)[]) {
    const questions = new Set(['get', 'unwait', 'getAll', 'unwaitAll', 'log', 'examined']);
    const session = await this.session;
    const agent = await this.#engine.authenticate(this.#key);
    return agent.ops({
      session,
      ops: ops.map((op) => (questions.has(op.op) ? op : { id: ++this.#lastOp, ...op }) as Op),
    });
  }
}

/** Joins a machine of the fake cloud with the secret of its user data. */
export async function joinFromUserData(engine: Engine, userData: string, agentKey: string, place = 0): Promise<TestAgent> {
  const config = bootConfig(userData, place);
  await engine.join({ ...config, keyHash: sha256(agentKey), agentVersion: '0', nodeVersion: '0', bootId: '0' });
  return new TestAgent(engine, agentKey);
}

/** Brings a run's machines up and its agents in, as far as Executing. */
export async function bringUp(
  world: World,
  plan = clientServerPlan(2),
): Promise<{ engine: Engine; id: string; agents: Map<string, TestAgent> }> {
  const id = await startRun(world, plan);
  const engine = await openEngine(world);
  const count = Object.values(plan.nodes).reduce((sum, { multiplicity }) => sum + multiplicity, 0);
  await vi.waitFor(() => expect(world.cloud.machines.size).toBe(count));
  const agents = new Map<string, TestAgent>();
  for (const { userData, place } of world.cloud.machines.values()) {
    const name = instanceIn(userData, place);
    agents.set(name, (await joinFromUserData(engine, userData, `key-${name}`, place)).connect());
  }
  await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Executing'));
  return { engine, id, agents };
}

/** The instance that user data is for. */
export function instanceIn(userData: string, place = 0): string {
  return bootConfig(userData, place).instance;
}

export async function completeAll(engine: Engine, id: string, agents: Map<string, TestAgent>): Promise<void> {
  const { seq } = (await engine.activeRun(id)).run.facts;
  for (const agent of agents.values()) await agent.say({ op: 'complete', seq });
}

/** Time passes until a run that had to be read again is there. */
export async function recovered(world: World, engine: Engine, id: string): Promise<void> {
  await vi.waitFor(() => {
    world.clock.pass(100);
    expect(engine.findActive(id)?.run).toBeDefined();
  });
}
