import { randomUUID } from 'node:crypto';
import { opsHeartbeatMs, type Hello } from '@paceline/api/agent';
import { assignmentOf } from '../lifecycle/steps.ts';
import { secretsBrought, secretsOf } from '../parameters/secrets.ts';
import { hasJoined, type Instance } from '../run/instance.ts';
import type { Run, RunFacts, RunView } from '../run/run.ts';
import { Collections } from './collections.ts';
import type { AgentLink, Session } from './session.ts';
import { Waiters } from './waiters.ts';

/** How long an agent may be away before the cloud is asked about its machine, in milliseconds; after that it is asked ever more seldom. */
const silenceMs = 10_000;
const longestPauseMs = 60_000;
/** A connected agent that says nothing for this long has lost its link, whatever TCP believes. */
const quietMs = 3 * opsHeartbeatMs;

interface Look {
  at: number;
  /** After the one before. */
  pauseMs: number;
}

function firstLook(now: number): Look {
  return { at: now + silenceMs, pauseMs: silenceMs };
}

/** Those who have been away for long are asked about together, on whole minutes: all runs that have a cloud in common share the call. */
function lookAfter({ pauseMs: before }: Look, now: number): Look {
  const pauseMs = Math.min(2 * before, longestPauseMs);
  const at = pauseMs < longestPauseMs ? now + pauseMs : (Math.floor(now / longestPauseMs) + 1) * longestPauseMs;
  return { at, pauseMs };
}

/** The connected agents of a run: what each has been told, what each waits for, and who is missing. */
export class Sessions {
  readonly waiters = new Waiters();
  readonly collections = new Collections();
  readonly #run: Run;
  readonly #byInstance = new Map<string, Session>();
  /** Agents that have joined and are not connected: when the cloud is asked about their machine. */
  readonly #missing = new Map<string, Look>();
  #facts: RunFacts;
  #members: number;

  /** Everybody who has joined is missing until he calls. */
  constructor(run: Run, now: number) {
    this.#run = run;
    this.#facts = run.facts;
    this.#members = membersOf(run);
    for (const instance of run.instances.values()) if (hasJoined(instance)) this.#missing.set(instance.name, firstLook(now));
  }

  of(instance: Instance): Session | undefined {
    return this.#byInstance.get(instance.name);
  }

  /** The keys that an instance's scripts are blocked in. */
  blockedIn(instance: Instance): string[] {
    const session = this.of(instance);
    return session === undefined ? [] : [...this.waiters.keysOf(session), ...this.collections.keysOf(session)];
  }

  /**
   * Takes a connection as its instance's only one. The agent is greeted when all that the greeting says is stored.
   * @param logs how much of each log source is stored
   */
  open(instance: Instance, link: AgentLink, logs: Record<string, number>, stored: Promise<void>, now: number): Session {
    this.of(instance)?.link.close();
    const session: Session = { id: randomUUID(), instance, link, told: undefined, finding: undefined, heard: now };
    this.#byInstance.set(instance.name, session);
    this.#missing.delete(instance.name);
    const { facts } = this.#run;
    const hello = { session: session.id, assignment: assignmentOf(this.#run, instance), lastOp: instance.lastOp, logs };
    const secrets = secretsOf(this.#run, instance);
    stored.then(
      () => this.#greet(session, hello, secrets, facts),
      () => link.close(),
    );
    return session;
  }

  /** An agent has joined: it is missing until it calls. */
  expect(name: string, now: number): void {
    if (!this.#byInstance.has(name)) this.#missing.set(name, firstLook(now));
  }

  /** The connection of a session is gone. */
  close(session: Session, now: number): void {
    const { name } = session.instance;
    this.waiters.drop(session);
    this.collections.drop(session);
    if (this.#byInstance.get(name) !== session) return;
    this.#byInstance.delete(name);
    this.#missing.set(name, firstLook(now));
  }

  closeAll(): void {
    for (const { link } of this.#byInstance.values()) link.close();
    this.#byInstance.clear();
    this.#missing.clear();
  }

  /** Tells everybody what the state of the run asks of them. @param facts as they are stored */
  assign(facts: RunFacts): void {
    const { seq, outcome, abort } = this.#facts;
    this.#facts = facts;
    if (facts.seq === seq && facts.outcome === outcome && facts.abort === abort) return;
    for (const session of this.#byInstance.values()) this.#assign(session);
  }

  /**
   * Tells of parameters that have been set: first the secrets, so that no output shows one that a script has just got.
   * @param run as it is stored
   */
  wake(run: RunView, changed: Iterable<string>): void {
    const keys = [...changed];
    for (const key of keys) {
      for (const { to, value } of secretsBrought(run, key)) this.#mask(to, value);
    }
    for (const key of keys) {
      this.waiters.wake(run, key);
      this.collections.wake(run, key);
    }
  }

  /** Instances may have been dropped, or added. @param run as it is stored */
  review(run: RunView): void {
    const members = membersOf(run);
    if (members === this.#members) return;
    this.#members = members;
    this.collections.review(run);
    for (const session of this.#byInstance.values()) this.#assign(session);
  }

  get anyoneWaits(): boolean {
    return this.waiters.size > 0 || this.collections.size > 0;
  }

  /** Closes links that have gone quiet, and names the instances whose machines are to be asked about. */
  overdue(now: number): Instance[] {
    const quiet = [...this.#byInstance.values()].filter(({ heard }) => heard + quietMs <= now);
    for (const session of quiet) {
      this.close(session, now);
      session.link.close();
    }
    const overdue: Instance[] = [];
    for (const [name, look] of this.#missing) {
      if (look.at > now) continue;
      const instance = this.#run.instances.get(name);
      const { status, cloudState } = instance?.machine ?? {};
      if (instance === undefined || status === 'terminating' || status === 'gone' || cloudState === 'lost') {
        this.#missing.delete(name);
        continue;
      }
      this.#missing.set(name, lookAfter(look, now));
      // A machine can be there before its cloud's answer is.
      if (status === 'launched') overdue.push(instance);
    }
    return overdue;
  }

  /** When `overdue` has something to do. */
  nextDue(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#missing.values()) next = Math.min(next, at);
    for (const { heard } of this.#byInstance.values()) next = Math.min(next, heard + quietMs);
    return next;
  }

  #greet(session: Session, hello: Hello, secrets: string[], facts: RunFacts): void {
    if (this.of(session.instance) !== session) return;
    session.link.send('hello', hello);
    if (secrets.length > 0) session.link.send('mask', { values: secrets });
    session.told = facts.outcome !== null || session.instance.dropped ? '' : keyOf(facts, session.instance);
    // The run may have gone on while the greeting waited, or may be over.
    this.#assign(session);
  }

  #assign(session: Session): void {
    const { instance, link, told } = session;
    const key = keyOf(this.#facts, instance);
    if (told === undefined || told === key) return;
    session.told = key;
    if (this.#facts.outcome !== null || instance.dropped) link.send('leave', { reason: `the run is ${this.#facts.state}` });
    else link.send('assignment', assignmentOf({ ...this.#run, facts: this.#facts }, instance));
  }

  #mask(to: string, value: string): void {
    const own = this.#byInstance.get(to);
    for (const { link } of to === '*' ? this.#byInstance.values() : own === undefined ? [] : [own]) link.send('mask', { values: [value] });
  }
}

function keyOf({ seq, outcome, abort }: RunFacts, { dropped }: Instance): string {
  return outcome !== null || dropped ? 'leave' : `${seq} ${abort?.at ?? ''}`;
}

/** Grows whenever an instance comes, is about to go, or goes. */
function membersOf(run: RunView): number {
  let changes = 0;
  for (const { dropped, removing } of run.instances.values()) changes += 1 + Number(dropped) + Number(removing);
  return changes;
}
