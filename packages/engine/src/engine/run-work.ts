import type { OpResult, OpsRequest } from '@paceline/api/agent';
import { PacelineError } from '@paceline/model';
import type { Clock } from '../clock.ts';
import { withBoundedEvents } from '../agents/event-bound.ts';
import type { LogBook } from '../agents/log-book.ts';
import { Answers } from '../agents/answers.ts';
import { decideOp, type OpContext } from '../agents/ops.ts';
import type { AgentLink, Session } from '../agents/session.ts';
import { Sessions } from '../agents/sessions.ts';
import { StallWatch } from '../agents/stall-watch.ts';
import { machineBack } from '../launch/found.ts';
import { MachineKeeper, type KeeperPorts } from '../launch/keeper.ts';
import { ledgerChanges } from '../launch/ledger.ts';
import { advance } from '../lifecycle/advance.ts';
import { nextDeadline } from '../lifecycle/deadlines.ts';
import { movesRun, type Change, type Decision } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';
import type { Journal, RunWrites } from '../store/journal.ts';

export interface RunWorkPorts {
  clock: Clock;
  journal: Journal;
  keeper: Omit<KeeperPorts, 'report' | 'stored'>;
  /** Sees to it that machines which cannot call are reached. */
  reach(run: Run): void;
}

/**
 * One reading of a run from the store, and everything that acts on it. Changes are worked out on what is known now, carried out,
 * and heard of only when they are stored. When a commit fails, the work is thrown away whole and begun anew on what is stored.
 */
export class RunWork {
  readonly run: Run;
  readonly #ports: RunWorkPorts;
  readonly #keeper: MachineKeeper;
  readonly #sessions: Sessions;
  readonly #book: LogBook;
  readonly #stalls: StallWatch;
  #timerDue = Number.POSITIVE_INFINITY;
  #cancelTimer = (): void => {};
  #moved = false;
  #looksSoon = false;
  #stopped = false;

  /** @param before resolves when no earlier work on the run asks anything of a cloud any more; undefined when there was none */
  constructor(run: Run, book: LogBook, before: Promise<void> | undefined, ports: RunWorkPorts) {
    this.run = run;
    run.drivenSince = ports.clock.now();
    this.#book = book;
    this.#ports = ports;
    this.#sessions = new Sessions(run, ports.clock.elapsed());
    this.#stalls = new StallWatch(run, this.#sessions);
    this.#keeper = new MachineKeeper(run, before, {
      ...ports.keeper,
      report: (decisions) => (hasEnded(run) ? Promise.resolve() : this.decide(...decisions)),
      stored: () => ports.journal.stored(run),
    });
  }

  /** Looks at the run again, as after a start of the engine. */
  start(): void {
    this.#settle();
    this.look();
  }

  /** Begins nothing more and lets go of every link. Resolves when no call to a cloud is under way. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#sessions.closeAll();
    return this.#keeper.stop();
  }

  /**
   * Changes the run by decisions on its present data, each on what the ones before have changed.
   * @returns when the changes, and all that follows from them, are stored
   */
  async decide(...decisions: Decision[]): Promise<void> {
    this.#refuseWhenStopped();
    const { journal, clock } = this.#ports;
    for (const decision of decisions) {
      const changes = decision(this.run, clock.now());
      if (changes.length > 0 && hasEnded(this.run)) return this.#refuseAfterEnd();
      this.#record(changes);
    }
    this.#settle();
    // Otherwise the commit looks, whatever it is of.
    if (!journal.isAhead(this.run)) this.look();
    else this.#moved = true;
    await journal.stored(this.run);
  }

  /**
   * Carries out what an agent says, in order. Resolves when it is stored.
   * @throws PACELINE_CONFLICT when it was said on a connection that has been replaced, PACELINE_TOO_LARGE when the answer would be
   */
  async ops(instance: Instance, { session: id, ops }: OpsRequest): Promise<OpResult[]> {
    this.#refuseWhenStopped();
    if (hasEnded(this.run)) return this.#refuseAfterEnd();
    const session = this.#sessions.of(instance);
    if (session?.id !== id) {
      throw new PacelineError('PACELINE_CONFLICT', `${instance.name} has another connection than the one that this was said on`);
    }
    const { clock, journal } = this.#ports;
    const now = clock.now();
    session.heard = clock.elapsed();
    const context = this.#opContext(session, now);
    const answers = new Answers(instance.refusals, ops);
    let { lastOp } = instance;
    for (const op of ops) {
      if ('id' in op && op.id <= lastOp) {
        answers.repeat(op.id);
        continue;
      }
      if (answers.isFull) break;
      const { changes, result } = decideOp(this.run, instance, op, context, now);
      this.#record(withBoundedEvents(instance, changes, now));
      answers.add('id' in op ? op.id : undefined, result);
      if ('id' in op) lastOp = op.id;
    }
    if (lastOp > instance.lastOp) this.#record([{ kind: 'instance', name: instance.name, patch: { lastOp, refusals: answers.refusals } }]);
    this.#settle();
    this.#stalls.stir(ops, session.heard);
    if (this.#stalls.nextDue() < this.#timerDue) this.look();
    await journal.stored(this.run);
    answers.check(ops);
    return answers.results;
  }

  /** @returns to be called when the connection is gone */
  connect(instance: Instance, link: AgentLink): () => void {
    this.#refuseWhenStopped();
    const { clock, journal } = this.#ports;
    if (!hasEnded(this.run)) this.#record(machineBack(instance, clock.now()));
    const stored = journal.stored(this.run);
    const session = this.#sessions.open(instance, link, this.#book.endsOf(instance.name), stored, clock.elapsed());
    return () => {
      this.#sessions.close(session, clock.elapsed());
      this.#lookSoon();
    };
  }

  isConnected(instance: Instance): boolean {
    return this.#sessions.of(instance) !== undefined;
  }

  /** The keys that an instance's scripts are blocked in. */
  blockedIn(instance: Instance): string[] {
    return this.#sessions.blockedIn(instance);
  }

  /** What a commit brought: told to everybody whom it concerns, and only now. */
  committed(writes: RunWrites): void {
    const stored = this.#ports.journal.storedView(this.run);
    this.#sessions.wake(stored, writes.parameters.keys());
    if (writes.facts !== undefined) this.#sessions.assign(writes.facts);
    if (!this.#moved) return;
    this.#moved = false;
    this.#sessions.review(stored);
    this.look();
  }

  /** Records all that follows from the run's data and from the time. */
  #settle(): void {
    const { clock } = this.#ports;
    while (this.#record(advance(this.run, clock.now())) || this.#record(ledgerChanges(this.run)));
  }

  #record(changes: readonly Change[]): boolean {
    this.#ports.journal.record(this.run, changes);
    this.#moved ||= changes.some(movesRun);
    for (const change of changes) {
      if (change.kind === 'instance' && change.patch.keyHash !== undefined) this.#sessions.expect(change.name, this.#ports.clock.elapsed());
    }
    return changes.length > 0;
  }

  /** Starts the calls that are due and sets the timer for what time will bring. */
  look(): void {
    this.#cancelTimer();
    if (this.#stopped || hasEnded(this.run)) return;
    const { clock } = this.#ports;
    const now = clock.elapsed();
    this.#keeper.inspect(this.#sessions.overdue(now));
    this.#keeper.keep();
    this.#ports.reach(this.run);
    this.#timerDue = this.#nextDue(now);
    if (this.#timerDue === Number.POSITIVE_INFINITY) return;
    // A commit that fails is told to the run's owner.
    this.#cancelTimer = clock.after(Math.max(1, this.#timerDue - now), () => void this.#tick().catch(() => {}));
  }

  /** Time has brought something. */
  async #tick(): Promise<void> {
    this.#timerDue = Number.POSITIVE_INFINITY;
    await this.decide(...this.#stalls.look(this.#ports.clock.elapsed()));
  }

  /** Looks once for all that is happening now: agents go by the thousand when their network does. */
  #lookSoon(): void {
    if (this.#looksSoon) return;
    this.#looksSoon = true;
    this.#ports.clock.soon(() => {
      this.#looksSoon = false;
      this.look();
    });
  }

  /** Deadlines are stored, and so times of the day; all else is counted by a clock that nobody sets. @param now as that says */
  #nextDue(now: number): number {
    const stored = now + nextDeadline(this.run) - this.#ports.clock.now();
    return Math.min(stored, now + this.#keeper.nextDueIn(), this.#sessions.nextDue(), this.#stalls.nextDue());
  }

  /** The end is the last that is stored of a run. */
  async #refuseAfterEnd(): Promise<never> {
    await this.#ports.journal.stored(this.run);
    throw new PacelineError('PACELINE_RUN_ENDED', `The run ${this.run.id} has ended: it is ${this.run.facts.state}`);
  }

  #refuseWhenStopped(): void {
    if (!this.#stopped) return;
    throw new PacelineError('PACELINE_STORE_FAILED', `The run ${this.run.id} is being read again from the store`);
  }

  #opContext(session: Session, now: number): OpContext {
    const { waiters, collections } = this.#sessions;
    return {
      wait: (key, unless) => waiters.add(this.run, session, key, unless),
      unwait: (key) => waiters.remove(session, key),
      joinWaitAll: (node, name) => collections.join(session, node, name),
      waitAll: (node, name) => collections.add(this.run, session, node, name),
      unwaitAll: (node, name) => collections.remove(session, node, name),
      examined: (finding) => {
        session.finding = finding;
      },
      log: (op) => {
        const chunk = this.#book.accept(session.instance.name, op, now);
        return chunk === undefined ? [] : [{ kind: 'log', chunk }];
      },
    };
  }
}
