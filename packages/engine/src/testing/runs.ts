import type { RunPlan } from '@paceline/model';
import { machineChange, ledgerChanges } from '../launch/ledger.ts';
import { machineFound } from '../launch/found.ts';
import { advance } from '../lifecycle/advance.ts';
import { assignmentOf } from '../lifecycle/steps.ts';
import { completeState } from '../lifecycle/complete.ts';
import { applyChange } from '../run/apply.ts';
import type { Change } from '../run/change.ts';
import { createRun } from '../run/create.ts';
import type { RunEvent } from '../run/event.ts';
import type { Run } from '../run/run.ts';

/** A run that is driven by hand in a test: no store, no clouds, and time only where the test says so. */
export class TestRun {
  readonly run: Run;
  readonly events: RunEvent[] = [];
  now = 1_000_000;

  constructor(plan: RunPlan) {
    this.run = createRun({ id: 'a1b2c3d4-0000-4000-8000-000000000000', name: 'test', plan, by: 'tester', tags: [], now: this.now });
    this.apply([]);
  }

  get state(): string {
    return this.run.facts.state;
  }

  get states(): string[] {
    return this.events.filter(({ type }) => type === 'run.state').map(({ message }) => message);
  }

  instance(name: string) {
    const instance = this.run.instances.get(name);
    if (instance === undefined) throw new Error(`no instance ${name}`);
    return instance;
  }

  /** Applies changes and all that follows from them, as the engine does. */
  apply(changes: Change[]): void {
    this.#record(changes);
    for (let next = this.#next(); next.length > 0; next = this.#next()) this.#record(next);
  }

  pass(ms: number): void {
    this.now += ms;
    this.apply([]);
  }

  /** The machine of an instance is there and has an address. */
  boot(name: string, address = `10.0.0.${this.instance(name).index}`): void {
    const instance = this.instance(name);
    const machine = {
      id: `m-${name}`,
      index: instance.index,
      name,
      state: 'running' as const,
      publicIps: [],
      privateIps: [address],
      createdAt: new Date(this.now),
    };
    this.apply(machineFound(this.run, instance, machine, this.now));
  }

  join(name: string): void {
    this.apply([{ kind: 'instance', name, patch: { keyHash: `key of ${name}`, joinedAt: this.now } }]);
  }

  complete(name: string): void {
    this.apply(completeState(this.run, this.instance(name), this.run.facts.seq, this.now));
  }

  /** Every instance's machine ends. */
  vanish(): void {
    this.apply([...this.run.instances.values()].map((instance) => machineChange(instance, { status: 'gone' })));
    this.apply([{ kind: 'run', patch: { swept: true } }]);
  }

  /** Boots and joins everything, which brings the run to Executing. */
  provision(): void {
    for (const name of this.run.instances.keys()) {
      this.boot(name);
      this.join(name);
    }
  }

  stepsOf(name: string): string[] {
    return assignmentOf(this.run, this.instance(name)).steps.map(({ id }) => id);
  }

  #next(): Change[] {
    return [...advance(this.run, this.now), ...ledgerChanges(this.run)];
  }

  #record(changes: Change[]): void {
    for (const change of changes) {
      const event = applyChange(this.run, change);
      if (event !== undefined) this.events.push(event);
    }
  }
}
