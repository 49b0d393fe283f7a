import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { StreamEvents } from '@paceline/api';
import type { Engine } from '@paceline/engine';
import { freeze, newWorld, openEngine, type World } from '@paceline/engine/testing';
import type { ResolvedDeployment } from '@paceline/model';
import { beforeAll, describe, expect, it } from 'vitest';
import { deploymentOf } from '../support/recipes.ts';

const id = 'a1b2c3d4-0000-4000-8000-000000000000';
const machineCount = 5;
/** More turns than any of these runs takes. */
const patience = 4000;

let deployment: ResolvedDeployment;
beforeAll(async () => {
  deployment = await deploymentOf(
    {
      server: { parameters: { token: { output: true } }, scripts: { deploy: 'true', report: 'true' } },
      worker: {
        multiplicity: machineCount - 1,
        parameters: { address: { output: true }, token: {} },
        inputs: { token: { from: 'server:token' } },
        scripts: { deploy: 'true' },
      },
    },
    { keepRunning: 'always' },
  );
});

/** A machine that outlives engines: it joins, publishes a value and completes, each as often as it takes to hear of it. */
class Machine {
  readonly #config: { run: string; instance: string; secret: string };
  readonly #acknowledged: Map<string, string>;
  readonly #key: string;
  #engine: Engine | undefined;
  #session = '';
  #lastOp = 0;
  #assignment: StreamEvents['assignment'] | undefined;
  #speaking = false;

  constructor(userData: string, acknowledged: Map<string, string>) {
    this.#config = JSON.parse(`{${/'("url".*)'/.exec(userData)?.[1] ?? ''}}`);
    this.#acknowledged = acknowledged;
    this.#key = `pla_${id}_${this.#config.instance}`;
  }

  /** Goes on, with whatever engine is there. */
  act(engine: Engine): void {
    if (engine !== this.#engine) {
      this.#engine = engine;
      this.#assignment = undefined;
      this.#speaking = false;
      void this.#connect(engine).catch(() => (this.#engine = undefined));
    } else if (this.#assignment?.completed === false && !this.#speaking) {
      this.#speaking = true;
      void this.#speak(engine, this.#assignment)
        .catch(() => {})
        .finally(() => (this.#speaking = false));
    }
  }

  async #connect(engine: Engine): Promise<void> {
    const keyHash = createHash('sha256').update(this.#key).digest('hex');
    await engine.join({ ...this.#config, keyHash, agentVersion: '0', nodeVersion: '0', bootId: '0' });
    const leave = (await engine.authenticate(this.#key)).connect(() => ({
      send: (event, data) => {
        if (event === 'assignment') this.#assignment = data as StreamEvents['assignment'];
        if (event !== 'hello') return;
        const hello = data as StreamEvents['hello'];
        [this.#session, this.#lastOp, this.#assignment] = [hello.session, hello.lastOp, hello.assignment];
      },
      close: () => {
        leave();
        this.#engine = undefined;
      },
    }));
  }

  async #speak(engine: Engine, { seq, state }: StreamEvents['assignment']): Promise<void> {
    const agent = await engine.authenticate(this.#key);
    const name = this.#config.instance.startsWith('server') ? 'token' : 'address';
    const key = `${this.#config.instance}:${name}`;
    const value = `${state} ${this.#lastOp + 1}`;
    const set = { op: 'set', id: this.#lastOp + 1, key, value, secret: false, ignoreAbort: true } as const;
    const [result] = await agent.ops({ session: this.#session, ops: [set] });
    this.#lastOp += 1;
    expect(result).toEqual({ status: 'ok' });
    this.#acknowledged.set(key, value);
    await agent.ops({ session: this.#session, ops: [{ op: 'complete', id: this.#lastOp + 1, seq }] });
    this.#lastOp += 1;
    if (this.#assignment?.seq === seq) this.#assignment = { ...this.#assignment, completed: true };
  }
}

interface Crash {
  /** Which transaction, from 1. */
  point: number;
  when: 'before' | 'after';
}

/** Brings a run from the request to its end, over one crash of the engine. @returns how many transactions that took */
async function live(crash?: Crash): Promise<number> {
  const world: World = newWorld();
  const launches: string[] = [];
  const machines = new Map<string, Machine>();
  const acknowledged = new Map<string, string>();
  world.cloud.onLaunch = ({ name }) => launches.push(name);
  let transactions = 0;
  let counting = false;
  let engine: Engine | undefined;
  let crashed = false;
  const store = world.database.transaction.bind(world.database);
  const never = new Promise<void>(() => {});
  world.database.transaction = async (...args) => {
    if (counting) transactions += 1;
    const isPoint = !crashed && counting && transactions === crash?.point;
    if (isPoint && crash.when === 'before') return die();
    await store(...args);
    if (isPoint) return die();
  };
  function die(): Promise<void> {
    crashed = true;
    if (engine !== undefined) freeze(engine, 'dead');
    engine = undefined;
    return never;
  }

  const first = await openEngine(world);
  engine = first;
  counting = true;
  let created: Engine | undefined;
  let ended: Engine | undefined;
  for (let turns = 0; turns < patience; turns++) {
    engine ??= await openEngine(world);
    const now = engine;
    if (created !== now) {
      created = now;
      void now.createRun({ id, deployment, cloud: 'test', parameters: {}, tags: [] }, 'tester').catch(() => (created = undefined));
    }
    for (const [machine, { userData }] of world.cloud.machines) {
      if (!machines.has(machine)) machines.set(machine, new Machine(userData, acknowledged));
    }
    // One at a time, so that what they say is not stored all at once.
    [...machines.values()][turns % machineCount]?.act(now);
    world.clock.pass(100);
    await turn();
    // What is stored: an engine that has died in the meantime answers nothing.
    const run = await now.store.run(id);
    const state = run?.facts.state ?? '';
    if (state === 'Ready' && ended !== now) {
      for (const [key, value] of acknowledged) expect(run?.parameters.get(key)?.value, `${key} was acknowledged`).toBe(value);
      expect(acknowledged.size).toBe(machineCount);
      ended = now;
      void now.terminate(id, 'tester').catch(() => (ended = undefined));
    }
    if (state === 'Done') {
      expect(launches.toSorted()).toEqual([...new Set(launches)].toSorted());
      expect(launches).toHaveLength(machineCount);
      expect([...world.cloud.machines.keys()], 'what is left of the machines').toEqual([]);
      expect(run?.facts.abort).toBeNull();
      if (engine === now) await now.close();
      return transactions;
    }
    expect(['Aborted', 'Cancelled'], JSON.stringify(run?.facts.abort)).not.toContain(state);
  }
  throw new Error(`the run does not end after a crash ${crash?.when} transaction ${crash?.point}`);
}

describe('an engine that is killed at each point at which something is stored', { timeout: 300_000 }, () => {
  it('leaves no machine behind, launches none twice, and loses nothing that was acknowledged', async () => {
    const points = await live();
    expect(points).toBeGreaterThan(20);
    for (let point = 1; point <= points; point++) {
      for (const when of ['before', 'after'] as const) {
        await live({ point, when }).catch((cause: unknown) => {
          throw new Error(`crash ${when} transaction ${point} of ${points}: ${String(cause)}`, { cause });
        });
      }
    }
  });
});
