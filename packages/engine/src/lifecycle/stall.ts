import { readParameter } from '../parameters/read.ts';
import { isMember, type Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { waitedFor } from './barrier.ts';

/** One edge of the wait graph: an instance's scripts wait for a value that somebody else has to set. */
export interface WaitEdge {
  instance: string;
  /** As the script named it: `testclient.1:webserver.ready`, or `worker.*:address` for that of every worker. */
  key: string;
  /** Whose it is to set: instances, or `ss` for all of them. */
  from: string[];
}

/** What every instance waits for now. @param blockedIn the keys that an instance's scripts wait for */
export function waitGraph(run: Run, blockedIn: (instance: Instance) => readonly string[]): WaitEdge[] {
  const edges: WaitEdge[] = [];
  for (const instance of run.instances.values()) {
    for (const key of blockedIn(instance)) edges.push({ instance: instance.name, key, from: settersOf(run, key) });
  }
  return edges;
}

/**
 * The wait graph, when nobody in the run can go on: each instance that the present state waits for is itself waiting for a value.
 * @returns undefined when somebody may still do something
 */
export function findStall(run: Run, blockedIn: (instance: Instance) => readonly string[]): WaitEdge[] | undefined {
  const { state, abort, outcome } = run.facts;
  if (state !== 'Executing' || abort !== null || outcome !== null) return undefined;
  const live = waitedFor(run);
  if (live.length === 0 || live.some((instance) => blockedIn(instance).length === 0)) return undefined;
  return waitGraph(run, blockedIn);
}

/** The wait graph as an abort reason. */
export function explainStall(run: Run, edges: readonly WaitEdge[]): string {
  const waiting = new Set(edges.map(({ instance }) => instance));
  const lines = edges.slice(0, mostExplained).map(({ instance, key, from }) => {
    return `${instance} waits for ${key}, ${listed(from.map((name) => whyNot(run, name, waiting)))}`;
  });
  const more = edges.length > mostExplained ? `; and ${edges.length - mostExplained} more` : '';
  return `The run cannot go on: every machine that still has work waits for a value that nobody will set: ${lines.join('; ')}${more}`;
}

const mostExplained = 8;

function settersOf(run: Run, key: string): string[] {
  const all = /^(\w+)\.\*:(.+)$/.exec(key);
  if (all === null) return sourceOwners(run, key);
  const [, node = '', name = ''] = all;
  const members = [...run.instances.values()].filter((instance) => instance.node === node && isMember(instance));
  const missing = members.filter((instance) => readParameter(run, `${instance.name}:${name}`).value === undefined);
  return [...new Set(missing.flatMap((instance) => sourceOwners(run, `${instance.name}:${name}`)))];
}

/** The instance at the far end of the mappings, which has to set the value. */
function sourceOwners(run: Run, key: string): string[] {
  const source = readParameter(run, key).sources.at(-1) ?? key;
  return [source.slice(0, source.indexOf(':'))];
}

function whyNot(run: Run, name: string, waiting: ReadonlySet<string>): string {
  if (name === 'ss') return 'which no machine can set while it waits';
  const instance = run.instances.get(name);
  if (instance === undefined) return `but there is no ${name}`;
  if (instance.dropped) return `but ${name} was given up`;
  if (waiting.has(name)) return `which ${name} has to set while it waits itself`;
  return `which ${name} did not set before its work was done`;
}

function listed(reasons: string[]): string {
  return reasons.length <= 3 ? reasons.join(' and ') : `${reasons.slice(0, 3).join(', ')} and so on`;
}
