import type { Database, Row, SqlValue, Statement } from '@paceline/engine';
import { isPacelineError, PacelineError, type ErrorCode } from '@paceline/model';
import type { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { World } from '../world.ts';
import { Notifications } from './notifications.ts';

/** What is not put on disk at once gets there within this time, in milliseconds. */
const writeBackMs = 5000;

/** The one database of a simulation, and the ways to it of all processes that use it. */
export class SimulatedStore {
  readonly shared: boolean;
  readonly #world: World;
  readonly #inner: Database;
  readonly #random: Random;
  readonly #notifications: Notifications;
  /** The disk is full for so long, in milliseconds since the beginning. */
  #fullUntil = 0;
  /** How long it usually takes to get there, or back, in milliseconds. */
  readonly #usualMs: number;
  /** What is acknowledged is on disk, not only on its way there. */
  readonly #durable: boolean;
  /** When something was stored last, in milliseconds since the beginning. */
  #storedAt = Number.NEGATIVE_INFINITY;
  /** The processes that cannot reach the database, and for how long. */
  readonly #cutOff = new Map<Process, number>();

  /** @param inner has its tables already, and nothing in them @param durable a commit outlives a power cut, as the engine has opened it */
  constructor(world: World, inner: Database, shared: boolean, durable: boolean) {
    this.#world = world;
    this.#inner = inner;
    this.#random = world.random.fork('database');
    this.#notifications = new Notifications(world);
    this.shared = shared;
    this.#durable = durable;
    this.#usualMs = this.#random.pick(shared ? [1, 1, 5, 20] : [0.2, 0.2, 2, 20]);
  }

  /** The database as one process has it. */
  portOf(process: Process): Database {
    return {
      dialect: 'sqlite',
      shared: this.shared,
      all: (sql, values) => this.#read(process, sql, values),
      transaction: (statements, notify) => this.#write(process, statements, notify),
      listen: (listener) => this.#notifications.listen(process, listener),
      close: () => process.sleep(1),
    };
  }

  /** Parts a process from its database. @param until in milliseconds since the beginning */
  cutOff(process: Process, until: number): void {
    this.#cutOff.set(process, until);
    this.#world.checks.feeds.cutOff(process, until);
  }

  /** The host of a process goes dark, and with it what its own database has not put on disk. */
  losePower(process: Process): void {
    process.kill();
    if (this.shared || this.#durable || this.#world.kernel.elapsed > this.#storedAt + writeBackMs) return;
    this.#world.checks.fail('what is stored outlives a power cut', `${process.name} has lost its last commit`);
  }

  heal(): void {
    this.#cutOff.clear();
    this.#fullUntil = 0;
  }

  #read(process: Process, sql: string, values: SqlValue[]): Promise<Row[]> {
    const { kernel, faults } = this.#world;
    const answer = process.answer<Row[]>();
    if (this.#isCutOff(process)) {
      kernel.after(this.#random.between(10, 10_000), () => answer.reject(failure('PACELINE_STORE_FAILED', 'none')));
      return answer.promise;
    }
    kernel.after(this.#way(), () => {
      if (faults.strikes('database.fails', 0.01)) return answer.reject(failure('PACELINE_STORE_FAILED', 'none'));
      // Reading changes nothing: the answer comes with the effect.
      kernel.touch();
      void this.#inner.all(sql, values).then(answer.resolve, (error: unknown) => this.#unexpected(process, error));
    });
    return answer.promise;
  }

  #write(process: Process, statements: Statement[], notify: string | undefined): Promise<void> {
    const { kernel, faults } = this.#world;
    const answer = process.answer<void>();
    const refuse = (error: Error): void => void kernel.after(this.#way(), () => answer.reject(error));
    const store = (then: () => void): void => this.#store(process, statements, notify, then, refuse);
    const lost = (): void => {
      this.#world.checks.saw('a commit was stored and nobody knew');
      kernel.after(this.#random.between(10, 10_000), () => refuse(failure('PACELINE_STORE_FAILED', 'unknown')));
    };
    if (this.#isCutOff(process)) {
      kernel.after(this.#random.between(10, 10_000), () => refuse(failure('PACELINE_STORE_FAILED', 'none')));
      return answer.promise;
    }
    kernel.after(this.#way(), () => {
      // What a dead process had sent to a server may still arrive there.
      if (process.isDead && (!this.shared || this.#random.chance(0.3))) return;
      const died = process.effect(() => {
        if (this.#isFull()) {
          this.#world.checks.saw('a database was full');
          return refuse(failure('PACELINE_STORE_FULL', 'none'));
        }
        if (faults.strikes('database.fails', 0.02)) return refuse(failure('PACELINE_STORE_FAILED', 'none'));
        if (this.shared && faults.strikes('database.unknown', 0.03)) {
          refuse(failure('PACELINE_STORE_FAILED', 'unknown'));
          const fate = this.#random.pick(['stored', 'late', 'never']);
          if (fate !== 'never') this.#world.checks.saw('a commit was stored and nobody knew');
          if (fate !== 'never') kernel.after(fate === 'late' ? this.#random.between(100, 5000) : 0, () => store(() => {}));
          return;
        }
        store(() => void kernel.after(this.#way(), () => (this.shared && this.#isCutOff(process) ? lost() : answer.resolve())));
      });
      if (died === 'after') this.#world.checks.saw('a process died between an effect and its answer');
    });
    return answer.promise;
  }

  #store(process: Process, statements: Statement[], notify: string | undefined, then: () => void, refuse: (error: Error) => void): void {
    this.#world.kernel.touch();
    void this.#inner.transaction(statements).then(
      () => {
        this.#storedAt = this.#world.kernel.elapsed;
        this.#world.checks.committed(process, statements);
        if (this.#world.trace !== undefined) this.#traceReplicas(process, statements);
        if (notify !== undefined) this.#notifications.tell(notify);
        then();
      },
      (error: unknown) => {
        if (!isPacelineError(error) || error.code !== 'PACELINE_CONFLICT') this.#unexpected(process, error, statements);
        refuse(error as Error);
      },
    );
  }

  #traceReplicas({ name }: Process, statements: readonly Statement[]): void {
    for (const { sql, values } of statements) {
      if (/^(INSERT INTO|DELETE FROM) replicas/.test(sql))
        this.#world.trace?.add('stored', `${name}: ${sql.split(' ')[0]} replica ${values.join()}`);
    }
  }

  /** Two that make the same run at once are no mistake; anything else that the database itself refuses is one of the engine. */
  #unexpected(process: Process, error: unknown, statements: Statement[] = []): void {
    if (statements[0]?.sql.startsWith('INSERT INTO runs') === true) return;
    this.#world.checks.fail('the store refuses nothing but conflicts', `${process.name}: ${String(error)}`);
  }

  #isCutOff(process: Process): boolean {
    return (this.#cutOff.get(process) ?? 0) > this.#world.kernel.elapsed;
  }

  #isFull(): boolean {
    const { kernel, faults } = this.#world;
    if (faults.strikes('database.full', 0.01))
      this.#fullUntil = Math.min(faults.healAt, kernel.elapsed + this.#random.between(1000, 30_000));
    return kernel.elapsed < this.#fullUntil;
  }

  #way(): number {
    if (this.#world.faults.strikes('database.slow', 0.02)) return this.#random.longTailed(6000, 30_000);
    return this.#random.longTailed(this.#usualMs, 20 * this.#usualMs);
  }
}

function failure(code: ErrorCode, outcome: 'none' | 'unknown'): PacelineError {
  return new PacelineError(code, `The database fails: ${outcome === 'none' ? 'nothing is stored' : 'who knows'}`, {
    data: { outcome, retryable: true },
  });
}
