import type { Statement } from '@paceline/engine';
import type { Kernel } from '../kernel/kernel.ts';
import type { Process } from '../kernel/process.ts';
import type { Trace } from '../kernel/trace.ts';
import type { System } from '../systems/system.ts';
import { AgentChecks } from './agents.ts';
import type { RareEvent } from './coverage.ts';
import { FeedChecks } from './feeds.ts';
import { LinkChecks } from './links.ts';
import { MachineChecks, type Inventory } from './machines.ts';
import { ParameterChecks } from './parameters.ts';
import { ReplicaChecks } from './replicas.ts';
import { RunChecks } from './runs.ts';
import { ScriptChecks } from './scripts.ts';
import { StoredRuns, type StoredRun } from './stored.ts';

/** Something happened that never may. */
export interface Violation {
  invariant: string;
  what: string;
  /** Milliseconds since the beginning. */
  at: number;
}

const mistakes = /\b(Type|Reference|Range|Syntax|Assertion)Error\b|has no instance|constraint failed/;

/** Everything that has to hold, whatever goes wrong. Told of what happens, by those to whom it happens. */
export class Checks {
  readonly stored = new StoredRuns();
  readonly agents: AgentChecks;
  readonly feeds: FeedChecks;
  readonly links: LinkChecks;
  readonly machines: MachineChecks;
  readonly parameters: ParameterChecks;
  readonly replicas: ReplicaChecks;
  readonly runs: RunChecks;
  readonly scripts: ScriptChecks;
  violation: Violation | undefined;
  /** The runs that people start. */
  readonly expected = new Set<string>();
  /** How often what is rare has come about. */
  readonly seen = new Map<RareEvent, number>();
  readonly #kernel: Kernel;
  readonly #trace: Trace | undefined;

  /** @param healAt from when on nothing goes wrong any more, in milliseconds since the beginning */
  constructor(kernel: Kernel, key: Buffer, healAt: number, trace: Trace | undefined) {
    this.#kernel = kernel;
    this.#trace = trace;
    this.parameters = new ParameterChecks(this, key);
    this.agents = new AgentChecks(this);
    this.feeds = new FeedChecks(this, kernel);
    this.links = new LinkChecks(this);
    this.machines = new MachineChecks(this, kernel, healAt);
    this.replicas = new ReplicaChecks(this, kernel);
    this.runs = new RunChecks(this, kernel, healAt);
    this.scripts = new ScriptChecks(this, kernel);
  }

  /** The first violation ends the simulation. */
  fail(invariant: string, what: string): void {
    this.#trace?.add('VIOLATION', `${invariant}: ${what}`);
    this.violation ??= { invariant, what, at: this.#kernel.elapsed };
    this.#kernel.stop();
  }

  saw(event: RareEvent): void {
    this.seen.set(event, (this.seen.get(event) ?? 0) + 1);
  }

  runOf(id: string): StoredRun | undefined {
    return this.stored.runs.get(id);
  }

  expect(system: System): void {
    this.expected.add(system.id);
    this.parameters.expect(system);
    this.runs.expect(system);
  }

  /** A transaction of a process is on disk. */
  committed(process: Process, statements: readonly Statement[]): void {
    this.replicas.stored(process, statements);
    for (const change of this.stored.apply(process, statements).values()) {
      this.#trace?.add(
        'stored',
        describe(
          process.name,
          change.run.id,
          change.events.map(({ message }) => message),
        ),
      );
      this.parameters.stored(change);
      this.runs.stored(change);
      this.machines.stored(change);
      this.agents.stored(change);
      this.links.stored(change);
      this.scripts.stored(change);
      this.feeds.stored(change);
    }
  }

  warned(process: Process, message: string): void {
    if (message.includes('is read again from the store')) this.saw('a commit failed and the run was read again');
    if (mistakes.test(message)) this.fail('the engine makes no mistakes', `${process.name}: ${message}`);
  }

  /** All is quiet and nobody is left. @param faultless nothing has gone wrong */
  finish(clouds: readonly Inventory[], faultless: boolean): void {
    this.machines.finish(clouds);
    this.feeds.finish();
    if (faultless) this.runs.finish();
  }
}

function describe(process: string, run: string, messages: readonly string[]): string {
  return `${process} in ${run}: ${messages.length === 0 ? 'no event' : messages.join(' | ')}`;
}
