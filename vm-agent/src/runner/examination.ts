import type { Op } from '@paceline/api/agent';
import type { Clock } from '../clock.ts';
import { type CommandUnderWay, endsSoon } from '../commands/under-way.ts';
import type { ProcessStatus } from './machine.ts';

export type Finding = Extract<Op, { op: 'examined' }>['finding'];

/** The processes of this machine. */
export interface ProcessTable {
  /** Throws where they cannot be known. */
  list(): ProcessStatus[];
  /** Whether it was started with the environment of this instance's scripts. */
  isOurs(pid: number): boolean;
  /** The kernel's name of what it waits in, if that can be known. */
  waitsIn(pid: number): string;
}

export interface Scene {
  /** The process that the script under way was started as, which leads a group and a session of its own. */
  script: number | undefined;
  /** The work is done: only what scripts have left behind can still do something. */
  idle: boolean;
  /** Those of scripts that have ended. */
  sessions: number[];
  commands: Iterable<CommandUnderWay>;
  table: ProcessTable;
  clock: Clock;
}

/** Between the two looks, in milliseconds. */
const pauseMs = 200;

/** What the script under way is doing. What cannot be told passes for something that ends by itself. */
export async function examine(scene: Scene): Promise<Finding> {
  try {
    const before = look(scene);
    if (before.finding === 'busy') return 'busy';
    await scene.clock.sleep(pauseMs);
    const after = look(scene);
    return after.trace === before.trace ? after.finding : 'busy';
  } catch {
    return 'busy';
  }
}

interface Look {
  finding: Finding;
  /** Changes when a process comes, goes or gets the processor. */
  trace: string;
}

function look(scene: Scene): Look {
  return scene.idle ? lookAtLeftovers(scene) : lookAtStep(scene);
}

function lookAtLeftovers({ sessions, table }: Scene): Look {
  const left = table.list().filter(({ pid, session }) => sessions.includes(session) || table.isOurs(pid));
  return { finding: left.length === 0 ? 'alone' : findingOf(left, false), trace: traceOf(left) };
}

function lookAtStep({ script, sessions, commands, table, clock }: Scene): Look {
  const waits = [...commands];
  const all = waits.some(({ end }) => endsSoon(end, clock.now())) ? [] : table.list();
  const first = all.find(({ pid }) => pid === script);
  if (!first) return { finding: 'busy', trace: '' };
  const step = family(
    all,
    ({ pid, group, session, startTime }) =>
      group === script || session === script || (Number(startTime) >= Number(first.startTime) && table.isOurs(pid)),
  );
  // What these do is known: they ask again now and then.
  const asking = family(step, ({ pid }) => waits.some((command) => command.pid === pid));
  const others = step.filter((one) => !asking.includes(one));
  const alone =
    others.every((one) => isPatient(one, table) && family(step, (each) => each === one).some((each) => asking.includes(each))) &&
    !all.some((one) => sessions.includes(one.session) && !step.includes(one));
  return { finding: findingOf(others, alone), trace: traceOf(others) };
}

function findingOf(others: ProcessStatus[], alone: boolean): Finding {
  return others.some(({ state }) => /[RD]/.test(state)) ? 'busy' : alone ? 'alone' : 'accompanied';
}

function traceOf(processes: ProcessStatus[]): string {
  return processes.map(({ pid, ticks }) => `${pid} ${ticks}`).join();
}

/** Some processes, and all that descend from them. */
function family(all: ProcessStatus[], isFounder: (one: ProcessStatus) => boolean): ProcessStatus[] {
  const members = all.filter(isFounder);
  for (const { pid } of members) members.push(...all.filter((one) => one.parent === pid && !members.includes(one)));
  return members;
}

/** Waits for its children alone: it has no clock that may end the waiting, nor a second thread that may do something else. */
function isPatient({ pid, name, threads }: ProcessStatus, table: ProcessTable): boolean {
  return threads === 1 && name !== 'timeout' && !/poll|select|sleep|futex/.test(table.waitsIn(pid));
}
