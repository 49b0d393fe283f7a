import type { Op } from '@paceline/api/agent';
import { explainStall, findStall, type WaitEdge } from '../lifecycle/stall.ts';
import { waitedFor } from '../lifecycle/barrier.ts';
import { abortChanges } from '../lifecycle/abort.ts';
import type { Decision } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** How long nobody must have moved, in milliseconds: when all scripts do nothing but wait, and when other processes are about. */
const quietMs = { alone: 2000, accompanied: 120_000 };

/**
 * Watches for runs that can never finish. That everybody waits is seen here; that nothing else is going on in the machines, only
 * their agents can see: they are asked.
 */
export class StallWatch {
  readonly #run: Run;
  readonly #sessions: Sessions;
  /** What everybody has been waiting for, and since when. */
  #suspicion: { graph: string; since: number; asked: Set<Session>; again: boolean } | undefined;
  #nextLook = Number.POSITIVE_INFINITY;

  constructor(run: Run, sessions: Sessions) {
    this.#run = run;
    this.#sessions = sessions;
  }

  /** An agent has said something. */
  stir(ops: readonly Op[], now: number): void {
    if (ops.some((op) => 'id' in op || op.op === 'log')) this.#suspicion = undefined;
    if (this.#run.plan.onStall === 'abort' && this.#sessions.anyoneWaits) this.#nextLook = Math.min(this.#nextLook, now + lookMs);
  }

  nextDue(): number {
    return this.#nextLook;
  }

  /** @returns what to do about a run that cannot go on */
  look(now: number): Decision[] {
    if (now < this.#nextLook) return [];
    this.#nextLook = Number.POSITIVE_INFINITY;
    const edges = findStall(this.#run, (instance) => this.#sessions.blockedIn(instance));
    if (edges === undefined) {
      this.#suspicion = undefined;
      return [];
    }
    const graph = JSON.stringify(edges);
    if (this.#suspicion?.graph !== graph) this.#suspicion = { graph, since: now, asked: new Set(), again: false };
    const findings = this.#ask(edges, this.#suspicion.asked);
    if (findings.includes('busy')) {
      this.#suspicion = undefined;
      return this.#later(now + busyMs);
    }
    const quiet = findings.every((finding) => finding === 'alone') ? quietMs.alone : quietMs.accompanied;
    const due = this.#suspicion.since + quiet;
    if (now < due || findings.includes(undefined)) return this.#later(Math.min(Math.max(due, now + lookMs), now + quietMs.alone));
    if (this.#suspicion.again) {
      // Should the abort be taken back, everybody is asked anew.
      this.#suspicion = undefined;
      return [stalled(edges)];
    }
    // What they were doing then, they need not be doing now.
    this.#suspicion.again = true;
    this.#suspicion.asked.clear();
    this.#ask(edges, this.#suspicion.asked);
    return this.#later(now + lookMs);
  }

  /**
   * Asks every agent once, also one that comes back, and gathers what they have said. A machine whose work is done may have left
   * something behind that will set a value: it is asked as well, as soon as its agent is there, unless it is gone.
   */
  #ask(edges: readonly WaitEdge[], asked: Set<Session>): Session['finding'][] {
    const waiting = waitedFor(this.#run);
    const done = this.#setters(edges).filter(isThere);
    return [...new Set([...waiting, ...done])].map((instance) => {
      const session = this.#sessions.of(instance);
      if (session === undefined || asked.has(session)) return session?.finding;
      asked.add(session);
      session.finding = undefined;
      session.link.send('examine', {});
      return undefined;
    });
  }

  /** Who may set what is waited for: what is of no machine, any of them. */
  #setters(edges: readonly WaitEdge[]): Instance[] {
    const { instances } = this.#run;
    const names = new Set(edges.flatMap(({ from }) => from));
    return names.has('ss') ? [...instances.values()] : [...names].flatMap((name) => instances.get(name) ?? []);
  }

  #later(at: number): Decision[] {
    this.#nextLook = at;
    return [];
  }
}

/** How often everybody's waiting is looked at, at most, and how soon those that were busy are asked again. */
const lookMs = 500;
const busyMs = 30_000;

/** Its agent may be away only for a moment, as all of them are when the engine begins anew. */
function isThere({ dropped, machine: { status, cloudState } }: Instance): boolean {
  return !dropped && status === 'launched' && cloudState !== 'lost';
}

function stalled(edges: readonly WaitEdge[]): Decision {
  return (run, now) => abortChanges(run, 'ss:abort', explainStall(run, edges), now);
}
