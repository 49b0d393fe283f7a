import type { Assignment, Hello, Op, OpResult, OpsRequest, StreamEvents } from '@paceline/api/agent';
import type { Process } from '../kernel/process.ts';
import type { Checks } from './checks.ts';
import type { StoredChange } from './stored.ts';

/** One connection of an agent, as the engine process at its end has it. */
export interface Link {
  readonly process: Process;
  readonly run: string;
  readonly instance: string;
  session: string | undefined;
  told: Pick<Assignment, 'seq' | 'abort'> | undefined;
  /** It was told that its run, or its instance, is over. */
  dismissed: boolean;
  open: boolean;
  watched: boolean;
  /** What it was told to wait for: keys, and `node.*:name` for those of all members. */
  readonly waits: Set<string>;
  /** When the wait for something was ended last, counted in ends of waits. */
  readonly ends: Map<string, number>;
  ended: number;
}

/** After this time in which nothing hindered it an engine has told what it has to tell, in milliseconds of its own time. */
const boundMs = 40_000;

/** What engines owe to the agents that are connected: what they wait for, what they have to do, and nothing that is not stored. */
export class LinkChecks {
  readonly #checks: Checks;
  readonly #links = new Set<Link>();
  readonly #bySession = new Map<string, Link>();
  /** Instances that have been connected. */
  readonly #known = new Set<string>();

  constructor(checks: Checks) {
    this.#checks = checks;
  }

  opened(process: Process, run: string, instance: string): Link {
    const known = `${run} ${instance}`;
    this.#checks.agents.came(!this.#known.has(known));
    this.#known.add(known);
    const link: Link = {
      process,
      run,
      instance,
      session: undefined,
      told: undefined,
      dismissed: false,
      open: true,
      watched: false,
      waits: new Set(),
      ends: new Map(),
      ended: 0,
    };
    this.#links.add(link);
    this.#watch(link);
    return link;
  }

  closed(link: Link): void {
    link.open = false;
    this.#links.delete(link);
    if (link.session !== undefined) this.#bySession.delete(link.session);
  }

  /** The engine sends something. */
  told<E extends keyof StreamEvents>(link: Link, event: E, data: StreamEvents[E]): void {
    const { run, instance } = link;
    const { parameters } = this.#checks;
    const facts = this.#checks.runOf(run)?.facts;
    parameters.reaching(run, instance, JSON.stringify(data));
    switch (event) {
      case 'hello': {
        const hello = data as Hello;
        link.session = hello.session;
        this.#bySession.set(hello.session, link);
        if (hello.lastOp > (this.#checks.runOf(run)?.instances.get(instance)?.lastOp ?? 0))
          this.#checks.fail('nobody hears of what is not stored', `${instance} is greeted with op ${hello.lastOp}`);
        return this.#assigned(link, hello.assignment);
      }
      case 'assignment':
        return this.#assigned(link, data as Assignment);
      case 'value': {
        const { key, value } = data as StreamEvents['value'];
        endWait(link, key);
        this.#checks.saw('a waiter was woken');
        return parameters.told(run, key, value);
      }
      case 'values': {
        const { node, name, values } = data as StreamEvents['values'];
        endWait(link, `${node}.*:${name}`);
        this.#checks.saw('a waiter was woken by the last of many values');
        for (const [index, value] of Object.entries(values)) parameters.told(run, `${node}.${index}:${name}`, value);
        return;
      }
      case 'refused': {
        const refused = data as StreamEvents['refused'];
        this.#checks.saw('a waiter was told that it may not know');
        return endWait(link, 'key' in refused ? refused.key : `${refused.node}.*:${refused.name}`);
      }
      case 'leave':
        link.dismissed = true;
        if (facts?.outcome === null && this.#checks.runOf(run)?.instances.get(instance)?.dropped !== true)
          this.#checks.fail('nobody hears of what is not stored', `${instance} is to leave`);
        return;
      case 'examine':
      case 'mask':
        return;
    }
  }

  /** An agent says something to an engine. @returns what `answered` has to know */
  said(run: string, instance: string, { session, ops }: OpsRequest): number {
    const lastOp = this.#checks.runOf(run)?.instances.get(instance)?.lastOp ?? 0;
    if (ops.some((op) => 'id' in op && op.id <= lastOp)) this.#checks.saw('an op was said again');
    return this.#bySession.get(session)?.ended ?? 0;
  }

  /**
   * The engine answers what an agent has said.
   * @param since what `said` returned: what was told since then was told of these questions
   */
  answered(run: string, instance: string, { session, ops }: OpsRequest, results: readonly OpResult[], since: number): void {
    this.#checks.parameters.reaching(run, instance, JSON.stringify(results));
    const link = this.#bySession.get(session);
    if (ops.some((op, index) => 'key' in op && isForbidden(results[index]))) this.#checks.saw('a secret was refused');
    for (const [index, op] of ops.entries()) this.#answer(run, instance, op, results[index], link, since);
    if (link !== undefined) this.#watch(link);
  }

  stored({ run, process }: StoredChange): void {
    for (const link of this.#links) {
      if (link.run === run.id && link.process === process) this.#watch(link);
    }
  }

  #answer(run: string, instance: string, op: Op, result: OpResult | undefined, link: Link | undefined, since: number): void {
    const { parameters } = this.#checks;
    switch (op.op) {
      case 'get':
        if (result?.status === 'value') parameters.told(run, op.key, result.value);
        if (result?.status === 'unset' && op.wait) beginWait(link, op.key, since);
        return;
      case 'getAll':
        if (result?.status === 'values' && result.unset.length > 0 && op.wait) beginWait(link, `${op.node}.*:${op.name}`, since);
        return;
      case 'unwait':
        return void link?.waits.delete(op.key);
      case 'unwaitAll':
        return void link?.waits.delete(`${op.node}.*:${op.name}`);
      case 'complete':
        return this.#checks.runs.completionAcknowledged(run, instance, op.seq);
      default:
        return;
    }
  }

  #assigned(link: Link, { seq, abort, state }: Assignment): void {
    link.told = { seq, abort };
    const facts = this.#checks.runOf(link.run)?.facts;
    if (facts === undefined || seq > facts.seq || (seq === facts.seq && state !== facts.state))
      this.#checks.fail('nobody hears of what is not stored', `${link.instance} is to do ${seq} ${state}`);
  }

  /** What it owes to a link it has to have told after a while. */
  #watch(link: Link): void {
    if (link.watched) return;
    const debts = this.#debtsTo(link);
    if (debts.length === 0) return;
    link.watched = true;
    link.process.after(boundMs, () => {
      link.watched = false;
      const left = this.#debtsTo(link);
      const old = left.find((debt) => debts.includes(debt));
      if (old !== undefined && link.process.awakeMs >= boundMs)
        this.#checks.fail('no waiter is lost, no work untold', `${link.instance} of ${link.run} is not told: ${old}`);
      else this.#watch(link);
    });
  }

  #debtsTo(link: Link): string[] {
    const run = this.#checks.runOf(link.run);
    const instance = run?.instances.get(link.instance);
    if (run === undefined || instance === undefined || !this.#owes(link)) return [];
    const debts = [...link.waits].filter((wait) => this.#checks.parameters.isThere(run, wait));
    const { facts } = run;
    const expected = facts.outcome !== null || instance.dropped ? 'to leave' : `work ${facts.seq}, abort: ${facts.abort?.reason ?? null}`;
    const told = link.dismissed ? 'to leave' : `work ${link.told?.seq}, abort: ${link.told?.abort}`;
    return told === expected ? debts : [...debts, expected];
  }

  /** The engine at its end drives the run, and has not heard that the agent is gone. */
  #owes(link: Link): boolean {
    const run = this.#checks.runOf(link.run);
    return link.open && run?.owner === link.process && run.facts.endedAt === null;
  }
}

function beginWait(link: Link | undefined, wait: string, since: number): void {
  if ((link?.ends.get(wait) ?? 0) <= since) link?.waits.add(wait);
}

function endWait(link: Link, wait: string): void {
  link.waits.delete(wait);
  link.ends.set(wait, ++link.ended);
}

function isForbidden(result: OpResult | undefined): boolean {
  return result?.status === 'error' && result.code === 'PACELINE_FORBIDDEN' && result.message.includes('secret');
}
