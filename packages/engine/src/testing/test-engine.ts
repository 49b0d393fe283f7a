import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Op, StreamEvents } from '@paceline/api';
import type { RunPlan } from '@paceline/model';
import { Engine } from '../engine/engine.ts';
import type { Clock } from '../engine/clock.ts';
import { Clouds } from '../launch/clouds.ts';
import { ReportFiles } from '../reports/report-files.ts';
import type { Database } from '../store/database.ts';
import { RunStore } from '../store/run-store.ts';
import { openSqlite } from '../store/sqlite.ts';
import { createCipher } from '../store/value-cipher.ts';
import { createRun } from '../run/create.ts';
import { sha256 } from '../run/script-digest.ts';
import { FakeCloud } from './fake-cloud.ts';

/** Time that moves only when a test says so. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  #timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue;
      timer.callback();
    }
  }
}

/** A database that survives the engine, and can be told to fail. */
export class TestDatabase implements Database {
  readonly dialect = 'sqlite';
  readonly #inner = openSqlite(':memory:');
  failure: Error | undefined;

  all: Database['all'] = (sql, values) => this.#inner.all(sql, values);

  async transaction(...args: Parameters<Database['transaction']>): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    return this.#inner.transaction(...args);
  }

  async close(): Promise<void> {}
}

export interface World {
  clock: ManualClock;
  database: TestDatabase;
  cloud: FakeCloud;
  warnings: string[];
}

export const key = Buffer.alloc(32, 7);

export function newWorld(): World {
  return { clock: new ManualClock(), database: new TestDatabase(), cloud: new FakeCloud(), warnings: [] };
}

/** A real engine on a real SQLite in memory, with a fake cloud. Opening it twice on one world is a restart. */
export async function openEngine(world: World, beforeStart = (): void => {}): Promise<Engine> {
  const engine = await Engine.open({
    store: await RunStore.open(world.database, createCipher(key)),
    clouds: new Clouds([{ name: 'test', connector: world.cloud.connector }]),
    reports: new ReportFiles(await mkdtemp(join(tmpdir(), 'paceline-reports-')), 1024 * 1024),
    log: { info: () => {}, warn: (message) => world.warnings.push(message) },
    key,
    agentSha256: 'a'.repeat(64),
    url: () => 'http://127.0.0.1:1',
    clock: world.clock,
    random: () => 0.5,
  });
  await engine.load();
  beforeStart();
  engine.start();
  return engine;
}

/** Starts a run of a plan as `createRun` would, without a module behind it. */
export async function startRun(world: World, plan: RunPlan, id = 'a1b2c3d4-0000-4000-8000-000000000000'): Promise<string> {
  const store = await RunStore.open(world.database, createCipher(key));
  await store.insertRun(createRun({ id, name: 'test', plan, by: 'tester', tags: [], now: world.clock.now() }), sha256('token'));
  return id;
}

/** What an agent sees and says, without HTTP. */
export class TestAgent {
  readonly events: { [E in keyof StreamEvents]: { event: E; data: StreamEvents[E] } }[keyof StreamEvents][] = [];
  readonly #engine: Engine;
  readonly #key: string;
  #lastOp = 0;
  disconnect = (): void => {};

  constructor(engine: Engine, agentKey: string) {
    this.#engine = engine;
    this.#key = agentKey;
  }

  connect(): this {
    const { active, instance } = this.#engine.authenticate(this.#key);
    this.disconnect = active.connect(instance, {
      send: (event, data) => {
        this.events.push({ event, data } as (typeof this.events)[number]);
        if (event === 'hello') this.#lastOp = (data as StreamEvents['hello']).lastOp;
      },
      close: () => {},
    });
    return this;
  }

  say(...ops: (Op extends infer O ? (O extends Op ? Omit<O, 'id'> & { id?: number } : never) : never)[]) {
    const { active, instance } = this.#engine.authenticate(this.#key);
    const questions = new Set(['get', 'unwait', 'getAll', 'unwaitAll', 'log']);
    return active.ops(
      instance,
      ops.map((op) => (questions.has(op.op) ? op : { id: ++this.#lastOp, ...op }) as Op),
    );
  }
}

/** Joins a machine of the fake cloud with the secret of its user data. */
export async function joinFromUserData(engine: Engine, userData: string, agentKey: string): Promise<TestAgent> {
  const config = JSON.parse(`{${/'("url".*)'/.exec(userData)?.[1] ?? ''}}`) as { run: string; instance: string; secret: string };
  await engine.join({ ...config, keyHash: sha256(agentKey), agentVersion: '0', nodeVersion: '0', bootId: '0' });
  return new TestAgent(engine, agentKey);
}
