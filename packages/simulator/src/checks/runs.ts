import type { RunEvent } from '@paceline/engine';
import type { Kernel } from '../kernel/kernel.ts';
import type { Process } from '../kernel/process.ts';
import type { System } from '../systems/system.ts';
import type { Checks } from './checks.ts';
import type { RareEvent } from './coverage.ts';
import { hasWork, isLive, type Facts, type Instance, type StoredChange, type StoredRun } from './stored.ts';

const next: Record<string, readonly string[]> = {
  Initializing: ['Provisioning', 'Finalizing'],
  Provisioning: ['Executing', 'Finalizing'],
  Executing: ['SendingReports', 'Finalizing'],
  SendingReports: ['Ready', 'Finalizing'],
  Ready: ['Finalizing'],
  Finalizing: ['Done', 'Aborted', 'Cancelled'],
};
/** After an abort scripts have at least this long to stop, in milliseconds, whatever the clocks of two replicas say. */
const leastGraceMs = 15_000 - 3000;

/** A state that has used up its time is ended this long after that, where nothing hinders it, in milliseconds. */
const latenessMs = 5000;
/** After the last fault everything works again within this time, in milliseconds. */
const settlingMs = 60_000;

/** Who has stood still for this long while nothing went wrong must have been noticed, in milliseconds. */
const surelyStalledMs = 240_000;

/** What a run goes through, and why. */
export class RunChecks {
  readonly #checks: Checks;
  readonly #kernel: Kernel;
  readonly #healAt: number;
  readonly #systems = new Map<string, System>();
  /** The reasons for an abort that somebody has given, and where somebody has wished to take one back. */
  readonly #reasons = new Set<string>();
  readonly #cancels = new Set<string>();
  readonly #watchers = new Map<string, (state: string) => void>();
  /** How often runs came to each state. */
  readonly states = new Map<string, number>();
  /** Of the runs that ended, by their way: `Done`, `Aborted after Ready`. */
  readonly ends = new Map<string, number>();

  constructor(checks: Checks, kernel: Kernel, healAt: number) {
    this.#checks = checks;
    this.#kernel = kernel;
    this.#healAt = healAt;
  }

  /** Nothing has gone wrong: every system that can get Ready has. */
  finish(): void {
    for (const { id, finishable } of this.#systems.values()) {
      const reason = this.#checks.runOf(id)?.facts.abort?.reason;
      if (finishable && reason !== undefined && !/timed out|end of its lifetime/.test(reason))
        this.#checks.fail('what can work does, when nothing goes wrong', `${id}: ${reason}`);
    }
  }

  expect(system: System): void {
    this.#systems.set(system.id, system);
  }

  watch(run: string, callback: (state: string) => void): void {
    this.#watchers.set(run, callback);
  }

  aborting(run: string, reason: string): void {
    this.#reasons.add(`${run} ${reason}`);
  }

  cancellingAbort(run: string): void {
    this.#cancels.add(run);
  }

  /** Somebody has heard that the abort flag is up. */
  abortAcknowledged(id: string): void {
    const facts = this.#checks.runOf(id)?.facts;
    if (facts?.abort === null && !this.#cancels.has(id)) this.#checks.fail('an abort that is acknowledged is stored', id);
  }

  /** Somebody has heard that the run will end. */
  endAcknowledged(id: string): void {
    if (this.#checks.runOf(id)?.facts.outcome === null) this.#checks.fail('the end of a run that is acknowledged is stored', id);
  }

  /** An agent has heard that its completion of a state is known. */
  completionAcknowledged(id: string, name: string, seq: number): void {
    const run = this.#checks.runOf(id);
    const completed = run?.instances.get(name)?.completed ?? 0;
    if (run !== undefined && completed < seq && run.facts.seq <= seq)
      this.#checks.fail('a completion that is acknowledged is stored', `${name} of ${id}`);
  }

  stored(change: StoredChange): void {
    const { run, process, before, created, events } = change;
    if (before !== undefined && run.owner !== process)
      this.#checks.fail(
        'two replicas never act for one run',
        `${process.name} stores ${run.id}, which is ${run.owner?.name ?? 'nobody'}'s`,
      );
    this.#checkNumbers(run, events);
    this.#note(change);
    if (before?.seq !== run.facts.seq) this.#expectTimeout(run, process);
    if (created || before === undefined) return;
    if (before.endedAt !== null) this.#checks.fail('a run that has ended stays as it is', run.id);
    this.#checkAbort(change, before);
    let { state } = before;
    const at: Moment = { since: before.stateSince, abortedAt: before.abort?.at, recovery: before.recovery, notYet: joiningIn(events) };
    for (const event of events) {
      if (event.type === 'run.abort') {
        at.abortedAt ??= event.at;
        at.recovery ||= state === 'Provisioning' || state === 'Initializing';
      } else if (event.type === 'run.abort-cancelled') Object.assign(at, { abortedAt: undefined, recovery: false });
      else if (event.type === 'instance.joined') at.notYet.delete(event.data.instance);
      if (event.type !== 'run.state') continue;
      this.#checkStep(run, at, state, event);
      ({ state } = event.data);
      at.since = event.at;
      this.states.set(state, (this.states.get(state) ?? 0) + 1);
    }
    if (state !== run.facts.state) this.#checks.fail('every state has its event', `${run.id}: ${state}, ${run.facts.state}`);
    if (state !== before.state) this.#watchers.get(run.id)?.(state);
  }

  #note({ run, taken, events, instances }: StoredChange): void {
    const saw = (event: RareEvent, when: boolean): void => void (when && this.#checks.saw(event));
    saw('a run changed hands', taken);
    for (const { type, message } of events) {
      saw('an abort was taken back', type === 'run.abort-cancelled');
      saw('something left over was swept', type === 'run.leftover');
      saw('an instance was dropped', type === 'instance.dropped');
      if (type === 'run.ending') saw('a run was ended by a user before it was Ready', run.facts.outcome === 'Cancelled');
      if (type !== 'run.abort' && type !== 'instance.dropped') continue;
      saw('a stall was found', message.includes('The run cannot go on'));
      saw('a run timed out', message.includes('The run has timed out'));
      saw('a boot deadline passed', message.includes('did not call home'));
      saw('an unknown key ended a run', message.includes('Unknown key'));
      saw('a run ended with its lifetime', message.includes('end of its lifetime'));
      saw('an abort came before the machines were there', run.facts.recovery);
    }
    for (const [name, before] of instances)
      saw('a machine was found lost', before?.machine.cloudState !== 'lost' && run.instances.get(name)?.machine.cloudState === 'lost');
  }

  /** By whoever drives the run now: the next one is watched when he takes it. */
  #expectTimeout(run: StoredRun, process: Process): void {
    const { seq, state, stateSince } = run.facts;
    if (state !== 'Provisioning' && state !== 'Executing') return;
    const left = Math.max(stateSince + run.plan.timeoutMs - process.clock.now(), this.#healAt + settlingMs - this.#kernel.elapsed);
    process.after(left + latenessMs, () => {
      const { facts, owner } = run;
      if (owner !== process || process.awakeMs < settlingMs || facts.seq !== seq || facts.abort !== null || facts.outcome !== null) return;
      this.#checks.fail('a run times out when its time is over', `${run.id} is still in ${state}`);
    });
  }

  #checkNumbers(run: StoredRun, events: readonly RunEvent[]): void {
    const first = run.events.length - events.length + 1;
    const wrong = events.findIndex(({ seq }, index) => seq !== first + index);
    if (wrong >= 0 || run.facts.lastEvent !== run.events.length)
      this.#checks.fail(
        'events are numbered without gaps',
        `${run.id}: ${events.map(({ seq }) => seq).join()} from ${first}, ${run.facts.lastEvent}`,
      );
  }

  #checkAbort({ run, events }: StoredChange, before: Facts): void {
    const after = run.facts.abort;
    const [raised, cancelled] = ['run.abort', 'run.abort-cancelled'].map((type) => events.filter((event) => event.type === type));
    if (cancelled !== undefined && cancelled.length > 0 && !this.#cancels.has(run.id))
      this.#checks.fail('nobody takes an abort back unasked', run.id);
    if (cancelled?.length === 0 && before.abort !== null && after?.reason !== before.abort.reason)
      this.#checks.fail('the first reason of an abort wins', `${run.id}: ${before.abort.reason}, then ${after?.reason}`);
    if (raised?.length === 0 && before.abort === null && after !== null) this.#checks.fail('every abort has its event', run.id);
    for (const event of raised ?? []) {
      if (event.type === 'run.abort') this.#checkReason(run, before, event.data.reason, event.at);
    }
  }

  /** What an abort says has to be true. */
  #checkReason(run: StoredRun, before: Facts, reason: string, at: number): void {
    if (this.#reasons.has(`${run.id} ${reason}`)) return;
    const known =
      /: exit code 1$|: Abort flag raised! |is a secret of another machine|(^|: )Unknown key |could not be launched on|is lost: |did not call home within|^n\d\.\d: |end of its lifetime/;
    const { timeoutMs, onStall } = run.plan;
    const stalledMs = this.#checks.scripts.stalledMs(run);
    if (reason.startsWith('The run has timed out')) {
      if (at < before.stateSince + timeoutMs - 3000)
        this.#checks.fail('a run times out when its time is over', `${run.id} after ${at - before.stateSince} ms`);
      const calmMs = Math.min(stalledMs, this.#kernel.elapsed - this.#healAt);
      if (onStall === 'abort' && before.state === 'Executing' && calmMs > surelyStalledMs)
        this.#checks.fail('a stall is found', `${run.id} has stood still for ${calmMs} ms`);
    } else if (reason.startsWith('The run cannot go on')) {
      if (stalledMs === 0 || onStall !== 'abort') this.#checks.fail('a run is called stalled only when it is', `${run.id}: ${reason}`);
    } else if (!known.test(reason)) this.#checks.fail('every abort has a reason that is true', `${run.id}: ${reason}`);
  }

  #checkStep(run: StoredRun, { since, abortedAt, recovery, notYet }: Moment, from: string, event: RunEvent & { type: 'run.state' }): void {
    const { state, seq } = event.data;
    if (next[from]?.includes(state) !== true) this.#checks.fail('states come in their order', `${run.id} from ${from} to ${state}`);
    const live = [...run.instances.values()].filter(isLive);
    const waits = (instance: Instance): void =>
      this.#checks.fail('a barrier opens when all have come', `${run.id} goes from ${from} to ${state} without ${instance.name}`);
    const hasJoined = ({ keyHash, name }: Instance): boolean => keyHash !== null && !notYet.has(name);
    if (state === 'Executing' && abortedAt === undefined)
      live.filter((instance) => !hasJoined(instance) || !run.parameters.has(`${instance.name}:hostname`)).forEach(waits);
    if (state === 'SendingReports' || state === 'Ready') {
      const graceFrom = state === 'Ready' ? since : abortedAt === undefined ? Number.POSITIVE_INFINITY : Math.max(since, abortedAt);
      if (event.at >= graceFrom + leastGraceMs || (recovery && state === 'SendingReports')) return;
      // Who joins while the others are sending their reports already is not waited for.
      const works = (instance: Instance): boolean =>
        hasJoined(instance) && hasWork(run, instance.node, from) && !(from === 'SendingReports' && (instance.joinedAt ?? 0) >= since);
      live.filter((instance) => works(instance) && !this.#checks.agents.hasCompleted(run.id, instance.name, seq - 1)).forEach(waits);
    }
    if (from === 'Finalizing') {
      for (const instance of run.instances.values()) if (instance.machine.status !== 'gone') waits(instance);
      const end = `${state}${run.facts.abort === null ? '' : ' after an abort'}`;
      this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
    }
  }
}

/** What counts when a barrier opens, as the events before it left it. */
interface Moment {
  since: number;
  abortedAt: number | undefined;
  recovery: boolean;
  /** Instances that join later in the same transaction. */
  notYet: Set<string>;
}

function joiningIn(events: readonly RunEvent[]): Set<string> {
  return new Set(events.flatMap((event) => (event.type === 'instance.joined' ? [event.data.instance] : [])));
}
