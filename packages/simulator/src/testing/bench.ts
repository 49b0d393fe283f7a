import type { Run, RunEvent, SqlValue, Statement } from '@paceline/engine';
import { nodeOf, parameterOf, planOf } from '@paceline/engine/testing';
import { Checks } from '../checks/checks.ts';
import type { Inventory } from '../checks/machines.ts';
import type { Facts, Instance } from '../checks/stored.ts';
import type { CloudMachine } from '../clouds/machine.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Process } from '../kernel/process.ts';
import type { System } from '../systems/system.ts';

type Body = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'seq' | 'at' | 'severity' | 'message'> : never) : never;

/** What one transaction says of the run. */
export interface Commit {
  by?: Process;
  facts?: Partial<Facts>;
  instances?: Record<string, Partial<Omit<Instance, 'machine'>> & { machine?: Partial<Instance['machine']> }>;
  parameters?: Record<string, string | null>;
  /** They are secrets, under a cipher. */
  sealed?: boolean;
  events?: (Body & { message?: string })[];
}

export const runId = '00000000-0000-4000-8000-000000000001';
export const key = Buffer.alloc(32, 7);

/** One run whose rows a test writes as it likes, and everything that watches over them. */
export class Bench {
  readonly kernel = new Kernel();
  readonly checks: Checks;
  readonly engine = new Process(this.kernel, 'engine1');
  readonly other = new Process(this.kernel, 'engine2');
  readonly cloud: Inventory = { name: 'east', machines: new Map(), disks: new Map() };
  facts: Facts;
  readonly plan: Run['plan'];
  readonly #instances = new Map<string, Instance>();

  /** @param facts how the run is when it is first stored */
  constructor(facts: Partial<Facts> = {}, plan: Partial<Run['plan']> = {}) {
    this.checks = new Checks(this.kernel, key, 0, undefined);
    this.plan = planOf(
      {
        server: nodeOf({ parameters: { ready: parameterOf({ output: true }), token: parameterOf({ output: true, secret: true }) } }),
        client: nodeOf({
          multiplicity: 2,
          maxProvisioningFailures: 1,
          parameters: { 'server.ready': parameterOf({ from: 'server.1:ready' }) },
        }),
      },
      plan,
    );
    this.facts = { ...newFacts(this.kernel.now), ...facts };
    for (const [node, index] of [
      ['server', 1],
      ['client', 1],
      ['client', 2],
    ] as const) {
      this.#instances.set(`${node}.${index}`, newInstance(node, index));
    }
    this.checks.expect(systemOf(this.plan));
    const created = { type: 'run.created', severity: 'info', message: 'Created', data: { by: 'somebody' } };
    this.store(
      this.engine,
      statement('INSERT INTO runs (id, plan, facts)', runId, JSON.stringify(this.plan), JSON.stringify(this.facts)),
      ...[...this.#instances.values()].map((each) => statement('INSERT INTO instances', runId, each.name, 0, JSON.stringify(each))),
      statement('INSERT INTO events', runId, 1, this.kernel.now, JSON.stringify(created)),
    );
  }

  /** The invariant that was broken. */
  get broken(): string | undefined {
    return this.checks.violation?.invariant;
  }

  get parameters(): Checks['parameters'] {
    return this.checks.parameters;
  }

  commit({ by = this.engine, facts = {}, instances = {}, parameters = {}, sealed = false, events = [] }: Commit): void {
    const first = this.facts.lastEvent + 1;
    this.facts = { ...this.facts, lastEvent: this.facts.lastEvent + events.length, ...facts };
    const changed = Object.entries(instances).map(([name, { machine, ...patch }]) => {
      const before = this.instance(name);
      const instance = { ...before, ...patch, machine: { ...before.machine, ...machine } };
      this.#instances.set(name, instance);
      return statement('UPDATE instances SET data', JSON.stringify(instance), runId, name);
    });
    this.store(
      by,
      statement('UPDATE runs SET facts', JSON.stringify(this.facts), this.facts.state, null, runId, 0),
      ...changed,
      ...Object.entries(parameters).map(([name, value]) =>
        value === null
          ? statement('DELETE FROM parameters', runId, name)
          : statement('INSERT INTO parameters', runId, name, value, sealed ? 1 : 0),
      ),
      ...events.map((event, at) =>
        statement('INSERT INTO events', runId, first + at, this.kernel.now, JSON.stringify({ message: '', ...event })),
      ),
    );
  }

  /** All machines are there, and have joined. */
  join(): void {
    const names = [...this.#instances.keys()];
    for (const name of names) this.machine(name);
    this.commit({
      instances: Object.fromEntries(
        names.map((name) => [name, { keyHash: `key of ${name}`, machine: { status: 'launched', id: `m-${name}`, address: '10.0.0.1' } }]),
      ),
      parameters: Object.fromEntries(
        names.flatMap((name) => [
          [`${name}:instanceid`, `m-${name}`],
          [`${name}:hostname`, '10.0.0.1'],
        ]),
      ),
    });
  }

  /** The run goes to a state. */
  enter(state: Facts['state'], more: Commit = {}): void {
    const seq = this.facts.seq + 1;
    this.commit({
      ...more,
      facts: { state, seq, stateSince: this.kernel.now, ...more.facts },
      events: [...(more.events ?? []), { type: 'run.state', data: { state, seq } }],
    });
  }

  store(by: Process, ...statements: Statement[]): void {
    this.checks.committed(by, statements);
  }

  instance(name: string): Instance {
    const instance = this.#instances.get(name);
    if (instance === undefined) throw new Error(`there is no instance ${name}`);
    return instance;
  }

  /** A machine that is there, whatever anybody knows of it. */
  machine(name: string, state: CloudMachine['state'] = 'running'): CloudMachine {
    const { node, index } = this.instance(name);
    const machine: CloudMachine = {
      id: `m-${name}`,
      index,
      name,
      token: 'token',
      owner: { engine: 'engine', run: runId, node },
      userData: new Uint8Array(),
      address: '10.0.0.1',
      expiresAt: new Date(0),
      createdAt: new Date(this.kernel.now),
      visibleAt: -1,
      state,
      hasAddress: true,
      denied: false,
    };
    this.cloud.machines.set(machine.id, machine);
    this.checks.machines.launched(this.cloud, machine);
    return machine;
  }

  /** Lets virtual time pass, once. @param ms since the beginning */
  async until(ms: number): Promise<void> {
    this.kernel.at(ms, () => this.kernel.stop());
    await this.kernel.run({ ms: Number.POSITIVE_INFINITY, events: 1000 });
  }
}

export function statement(sql: string, ...values: SqlValue[]): Statement {
  return { sql, values };
}

function systemOf(plan: Run['plan']): System {
  return {
    id: runId,
    request: { id: runId, deployment: { nodes: plan.nodes } } as unknown as System['request'],
    finishable: true,
    userKeys: [],
    secrets: new Map([['server:token', new Set(['server'])]]),
  };
}

/** What the checks look at; the engine knows more of a run and its instances. */
function newFacts(now: number): Facts {
  const facts: Partial<Facts> = { state: 'Initializing', seq: 1, stateSince: now, abort: null, recovery: false, outcome: null };
  return { ...facts, accounts: {}, expiresAt: now + 3_600_000, endedAt: null, lastEvent: 1 } as Facts;
}

function newInstance(node: string, index: number): Instance {
  const machine = { status: 'wanted', token: 'token', id: null, address: null, cloudState: '', launchedAt: null };
  const instance = {
    node,
    index,
    name: `${node}.${index}`,
    machine,
    keyHash: null,
    joinedAt: null,
    lastOp: 0,
    completed: 0,
    dropped: false,
  };
  return instance as unknown as Instance;
}
