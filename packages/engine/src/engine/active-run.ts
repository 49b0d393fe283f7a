import type { Op, OpResult } from '@paceline/api/agent';
import type { Clock } from './clock.ts';
import { Feed } from './feed.ts';
import { Collections } from '../agents/collections.ts';
import type { LogBook } from '../agents/log-book.ts';
import { decideOp } from '../agents/ops.ts';
import type { AgentLink, Session } from '../agents/session.ts';
import { Waiters } from '../agents/waiters.ts';
import { MachineKeeper, type KeeperPorts } from '../launch/keeper.ts';
import { ledgerChanges } from '../launch/ledger.ts';
import { advance } from '../lifecycle/advance.ts';
import { nextDeadline } from '../lifecycle/deadlines.ts';
import { assignmentOf } from '../lifecycle/steps.ts';
import { secretsBrought, secretsOf } from '../parameters/secrets.ts';
import type { Change } from '../run/change.ts';
import type { RunEvent } from '../run/event.ts';
import type { Instance } from '../run/instance.ts';
import type { LogChunk } from '../run/log.ts';
import { hasEnded, type Run } from '../run/run.ts';
import type { Journal, RunWrites } from '../store/journal.ts';
import type { RunStore } from '../store/run-store.ts';

export interface ActiveRunPorts {
  clock: Clock;
  journal: Journal;
  store: RunStore;
  keeper: Omit<KeeperPorts, 'report'>;
  ended(run: Run): void;
}

/** How long an agent may be silent before the cloud is asked about its machine, in milliseconds. */
const silenceMs = 10_000;

/**
 * One run in its owner's memory. Everything that happens to it comes in through `decide`: changes are worked out on what is known
 * now, carried out, and heard of only when they are stored. Time and machines come back in the same way.
 */
export class ActiveRun {
  readonly run: Run;
  readonly events: Feed<RunEvent>;
  readonly logs: Feed<LogChunk>;
  readonly #ports: ActiveRunPorts;
  readonly #keeper: MachineKeeper;
  readonly #waiters = new Waiters();
  readonly #collections = new Collections();
  readonly #sessions = new Map<string, Session>();
  readonly #book: LogBook;
  readonly #silent = new Map<string, number>();
  /** The results of each instance's last batch, for an answer that was lost. */
  readonly #answers = new Map<string, Map<number, OpResult>>();
  #cancelTimer = (): void => {};
  #told = '';

  constructor(run: Run, book: LogBook, ports: ActiveRunPorts) {
    this.run = run;
    this.#book = book;
    this.#ports = ports;
    this.events = new Feed((after, limit) => ports.store.events(run.id, after, limit));
    this.logs = new Feed((after, limit) => ports.store.logs(run.id, after, limit));
    this.#keeper = new MachineKeeper(run, { ...ports.keeper, report: (decide) => this.decide(decide) });
  }

  /** Looks at the run again, as after a start of the engine. */
  start(): void {
    this.#record([]);
    this.#look();
  }

  /** Leaves the run to whoever takes it next: no timer, no link stays. */
  stop(): void {
    this.#cancelTimer();
    for (const { link } of this.#sessions.values()) link.close();
    this.#sessions.clear();
  }

  /**
   * Changes the run by a decision on its present data.
   * @returns when the changes, and all that follows from them, are stored
   */
  decide(decision: (run: Run, now: number) => Change[]): Promise<void> {
    this.#record(decision(this.run, this.#ports.clock.now()));
    const stored = this.#ports.journal.stored();
    return stored.then(() => this.#look());
  }

  /** Carries out what an agent says, in order. Resolves when it is stored. */
  async ops(instance: Instance, ops: readonly Op[]): Promise<OpResult[]> {
    const session = this.#sessions.get(instance.name);
    const before = this.#answers.get(instance.name);
    const answers = new Map<number, OpResult>();
    const results: OpResult[] = [];
    const now = this.#ports.clock.now();
    let { lastOp } = instance;
    const context = this.#opContext(instance, session, now);
    for (const op of ops) {
      const id = 'id' in op ? op.id : undefined;
      if (id !== undefined && id <= lastOp) {
        results.push(before?.get(id) ?? { status: 'ok' });
        continue;
      }
      const { changes, result } = decideOp(this.run, instance, op, context, now);
      if (id !== undefined) {
        lastOp = id;
        answers.set(id, result);
      }
      this.#ports.journal.record(this.run, changes);
      results.push(result);
    }
    if (lastOp > instance.lastOp) {
      this.#answers.set(instance.name, answers);
      this.#ports.journal.record(this.run, [{ kind: 'instance', name: instance.name, patch: { lastOp } }]);
    }
    this.#record([]);
    await this.#ports.journal.stored();
    return results;
  }

  connect(instance: Instance, link: AgentLink): () => void {
    this.#sessions.get(instance.name)?.link.close();
    const session: Session = { instance, link, told: this.#assignmentKey() };
    this.#sessions.set(instance.name, session);
    this.#silent.delete(instance.name);
    link.send('hello', {
      assignment: assignmentOf(this.run, instance),
      lastOp: instance.lastOp,
      logs: this.#book.endsOf(instance.name),
    });
    const secrets = secretsOf(this.run, instance);
    if (secrets.length > 0) link.send('mask', { values: secrets });
    if (hasEnded(this.run) || instance.dropped) link.send('leave', { reason: 'the run has ended' });
    return () => this.#disconnect(session);
  }

  isConnected(instance: Instance): boolean {
    return this.#sessions.has(instance.name);
  }

  /** The keys that an instance's scripts are blocked in. */
  blockedIn(instance: Instance): string[] {
    const session = this.#sessions.get(instance.name);
    return session === undefined ? [] : [...this.#waiters.keysOf(session), ...this.#collections.keysOf(session)];
  }

  /** What a commit brought: told to everybody whom it concerns, and only now. */
  committed(writes: RunWrites): void {
    for (const key of writes.parameters.keys()) this.#mask(key);
    for (const key of writes.parameters.keys()) {
      this.#waiters.wake(this.run, key);
      this.#collections.wake(this.run, key);
    }
    this.#assign();
    if (writes.events.length > 0) this.events.notify();
    if (writes.logs.length > 0) this.logs.notify();
    this.#look();
    if (!hasEnded(this.run)) return;
    this.#cancelTimer();
    this.events.end();
    this.logs.end();
    this.#ports.ended(this.run);
  }

  /** Records changes and everything that follows from them at once. */
  #record(changes: readonly Change[]): void {
    const { journal, clock } = this.#ports;
    journal.record(this.run, changes);
    for (;;) {
      const next = [...advance(this.run, clock.now()), ...ledgerChanges(this.run)];
      if (next.length === 0) return;
      journal.record(this.run, next);
    }
  }

  /** Starts the calls that are due and sets the timer for what time will bring. */
  #look(): void {
    // Clouds hear of nothing that is not stored; the commit that is under way comes back here.
    if (this.#ports.journal.isAhead(this.run)) return;
    this.#cancelTimer();
    if (hasEnded(this.run)) return;
    this.#keeper.keep();
    const now = this.#ports.clock.now();
    for (const [name, since] of this.#silent) {
      const instance = this.run.instances.get(name);
      if (instance !== undefined && since + silenceMs <= now) {
        this.#silent.set(name, now);
        this.#keeper.inspect(instance);
      }
    }
    const silences = [...this.#silent.values()].map((since) => since + silenceMs);
    const due = Math.min(nextDeadline(this.run), this.#keeper.nextDue(), ...silences);
    if (due === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#ports.clock.after(Math.max(1, due - now), () => {
      this.#record([]);
      void this.#ports.journal.stored().then(
        () => this.#look(),
        () => {},
      );
    });
  }

  #assign(): void {
    const key = this.#assignmentKey();
    if (key === this.#told) return;
    this.#told = key;
    const leaving = this.run.facts.outcome !== null;
    for (const session of this.#sessions.values()) {
      if (session.told === key) continue;
      session.told = key;
      if (leaving || session.instance.dropped) session.link.send('leave', { reason: `the run is ${this.run.facts.state}` });
      else session.link.send('assignment', assignmentOf(this.run, session.instance));
    }
  }

  #assignmentKey(): string {
    const { seq, abort, outcome } = this.run.facts;
    return `${seq} ${outcome ?? ''} ${abort?.at ?? ''}`;
  }

  #disconnect(session: Session): void {
    const { name } = session.instance;
    this.#waiters.drop(session);
    this.#collections.drop(session);
    if (this.#sessions.get(name) !== session) return;
    this.#sessions.delete(name);
    if (hasEnded(this.run)) return;
    this.#silent.set(name, this.#ports.clock.now());
    this.#look();
  }

  /** Agents hear of new secrets before their scripts can, so that no output shows one. */
  #mask(changed: string): void {
    for (const { to, value } of secretsBrought(this.run, changed)) {
      const session = this.#sessions.get(to);
      for (const { link } of to === '*' ? this.#sessions.values() : session === undefined ? [] : [session])
        link.send('mask', { values: [value] });
    }
  }

  #opContext(instance: Instance, session: Session | undefined, now: number) {
    return {
      wait: (key: string) => session && this.#waiters.add(this.run, session, key),
      unwait: (key: string) => session && this.#waiters.remove(session, key),
      waitAll: (node: string, name: string) => session && this.#collections.add(this.run, session, node, name),
      unwaitAll: (node: string, name: string) => session && this.#collections.remove(session, node, name),
      log: (op: Extract<Op, { op: 'log' }>) => {
        const chunk = this.#book.accept(instance.name, op, now);
        if (chunk !== undefined) this.#ports.journal.recordLog(this.run, chunk);
      },
    };
  }
}
