import type { Database, Run, RunEvent, Statement } from '@paceline/engine';
import type { Process } from '../kernel/process.ts';

export type Facts = Run['facts'];
export type Instance = Run['instances'] extends Map<string, infer I> ? I : never;

/** A run as it is on disk, read from the statements that were stored and not by the engine's own code. */
export interface StoredRun {
  readonly id: string;
  readonly plan: Run['plan'];
  facts: Facts;
  readonly instances: Map<string, Instance>;
  /** Sealed when they are secret. */
  readonly parameters: Map<string, { value: string; secret: boolean }>;
  /** As JSON, from number 1 on. */
  readonly events: string[];
  /** By `instance source`: the pieces of output. */
  readonly logs: Map<string, { start: number; bytes: number; text: string }[]>;
  /** Who stored that it drives the run. */
  owner: Process | undefined;
}

/** What one transaction has changed in one run. */
export interface StoredChange {
  run: StoredRun;
  process: Process;
  /** It is new. */
  created: boolean;
  /** Another process drove it before. */
  taken: boolean;
  /** The facts before, when they have been written. */
  before: Facts | undefined;
  /** Instances before, by name. */
  instances: Map<string, Instance | undefined>;
  parameters: Map<string, { value: string; secret: boolean } | null>;
  events: RunEvent[];
}

/** Everything that is stored, kept up with by reading each statement that was carried out. */
export class StoredRuns {
  readonly runs = new Map<string, StoredRun>();

  /** @returns what the transaction meant to each run */
  apply(process: Process, statements: readonly Statement[]): Map<string, StoredChange> {
    const changes = new Map<string, StoredChange>();
    for (const { sql, values } of statements) this.#statement(process, sql, values, changes);
    return changes;
  }

  /** Compares what the database holds with what was stored. @returns what is different */
  async differences(database: Pick<Database, 'all'>): Promise<string[]> {
    const found: string[] = [];
    const compare = (what: string, is: unknown, was: unknown): void =>
      void (is !== was && found.push(`${what} is ${String(is)}, not ${String(was)}`));
    for (const { id, facts, instances, parameters, events } of this.runs.values()) {
      const [row] = await database.all('SELECT facts FROM runs WHERE id = ?', [id]);
      compare(`the run ${id}`, row?.['facts'], JSON.stringify(facts));
      for (const { name, data } of await database.all('SELECT name, data FROM instances WHERE run = ?', [id]))
        compare(`${String(name)} of ${id}`, data, JSON.stringify(instances.get(String(name))));
      const rows = await database.all('SELECT name, value FROM parameters WHERE run = ?', [id]);
      for (const { name, value } of rows) compare(`${String(name)} of ${id}`, value, parameters.get(String(name))?.value);
      compare(`the number of parameters of ${id}`, rows.length, parameters.size);
      const [last] = await database.all('SELECT MAX(seq) AS last FROM events WHERE run = ?', [id]);
      compare(`the last event of ${id}`, last?.['last'], events.length);
    }
    return found;
  }

  #statement(process: Process, sql: string, values: readonly unknown[], changes: Map<string, StoredChange>): void {
    if (sql.startsWith('INSERT INTO runs ')) {
      const column = (name: string): unknown => values[columnsOf(sql).indexOf(name)];
      const id = String(column('id'));
      const run: StoredRun = {
        id,
        plan: parsed(column('plan')),
        facts: parsed(column('facts')),
        instances: new Map(),
        parameters: new Map(),
        events: [],
        logs: new Map(),
        owner: process,
      };
      this.runs.set(id, run);
      this.#changeOf(process, id, changes).created = true;
    } else if (sql.startsWith('UPDATE runs SET facts')) {
      const change = this.#changeOf(process, values[3], changes);
      change.before ??= change.run.facts;
      change.run.facts = parsed(values[0]);
    } else if (sql.startsWith('UPDATE runs SET owner')) {
      const change = this.#changeOf(process, values[1], changes);
      change.taken = change.run.owner !== undefined && change.run.owner !== process && !change.run.owner.isDead;
      change.run.owner = values[0] === null ? undefined : process;
    } else if (sql.startsWith('INSERT INTO instances')) {
      this.#instance(this.#changeOf(process, values[0], changes), parsed(values[3]));
    } else if (sql.startsWith('UPDATE instances SET data')) {
      this.#instance(this.#changeOf(process, values[1], changes), parsed(values[0]));
    } else if (sql.startsWith('INSERT INTO parameters')) {
      this.#parameter(this.#changeOf(process, values[0], changes), String(values[1]), {
        value: String(values[2]),
        secret: values[3] === 1,
      });
    } else if (sql.startsWith('DELETE FROM parameters')) {
      this.#parameter(this.#changeOf(process, values[0], changes), String(values[1]), null);
    } else if (sql.startsWith('INSERT INTO events')) {
      const change = this.#changeOf(process, values[0], changes);
      const event = { ...parsed<RunEvent>(values[3]), seq: Number(values[1]), at: Number(values[2]) };
      change.run.events.push(JSON.stringify(event));
      change.events.push(event);
    } else if (sql.startsWith('INSERT INTO logs')) {
      const { logs } = this.#changeOf(process, values[0], changes).run;
      const key = `${String(values[2])} ${String(values[3])}`;
      logs.set(key, [...(logs.get(key) ?? []), { start: Number(values[5]), bytes: Number(values[6]), text: String(values[8]) }]);
    } else if (
      !/^(INSERT INTO reports|INSERT INTO replicas|INSERT INTO engine|UPDATE replicas|DELETE FROM replicas|CREATE|INSERT INTO schema_versions)/.test(
        sql,
      )
    ) {
      throw new Error(`the simulator does not know what this statement means: ${sql}`);
    }
  }

  #instance(change: StoredChange, instance: Instance): void {
    const { run, instances } = change;
    if (!instances.has(instance.name)) instances.set(instance.name, run.instances.get(instance.name));
    run.instances.set(instance.name, instance);
  }

  #parameter({ run, parameters }: StoredChange, key: string, parameter: { value: string; secret: boolean } | null): void {
    if (parameter === null) run.parameters.delete(key);
    else run.parameters.set(key, parameter);
    parameters.set(key, parameter);
  }

  #changeOf(process: Process, id: unknown, changes: Map<string, StoredChange>): StoredChange {
    const known = changes.get(String(id));
    if (known !== undefined) return known;
    const run = this.runs.get(String(id));
    if (run === undefined) throw new Error(`something is stored of the run ${String(id)}, which is not there`);
    const change = {
      run,
      process,
      created: false,
      taken: false,
      before: undefined,
      instances: new Map(),
      parameters: new Map(),
      events: [],
    };
    changes.set(run.id, change);
    return change;
  }
}

function columnsOf(insert: string): string[] {
  return /\((.*?)\)/.exec(insert)?.[1]?.split(', ') ?? [];
}

function parsed<T>(json: unknown): T {
  return JSON.parse(String(json)) as T;
}

/** An instance that takes part, as far as is stored. */
export function isLive({ dropped, machine }: Instance): boolean {
  return !dropped && machine.cloudState !== 'lost';
}

/** A state asks something of the instances of a node. */
export function hasWork({ plan }: StoredRun, node: string, state: string): boolean {
  if (state === 'SendingReports') return true;
  const layers = plan.nodes[node]?.image.layers ?? [];
  return layers.some(
    ({ packages, scripts }) => packages.length > 0 || ['preInstall', 'postInstall', 'deploy'].some((phase) => phase in scripts),
  );
}
