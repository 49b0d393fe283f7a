import type { ProcessEntry } from './process-table.ts';

/** How the processes of a machine are recognised. */
export interface MachineMarks {
  id: string;
  directory: string;
  /** The process that ran the user data: leader of a session and of a process group. */
  leader?: { pid: number; start: string };
}

export interface Self {
  pid: number;
  uid: number;
}

function ourselves(): Self {
  return { pid: process.pid, uid: process.getuid?.() ?? 0 };
}

/**
 * The processes of these machines: those that carry its mark in their environment (every descendant inherits it, also a daemon that
 * left the session), those of the session of its first process, those at home in its directory (whose environment was
 * cleared), and all their children.
 *
 * Never among them: this process and its ancestors, whoever stands in the directory with a terminal, and a process of
 * another user unless it carries the mark or descends from one that does (only root sees such marks: it is the service that a
 * recipe started under its own account).
 */
export function processesOf(table: readonly ProcessEntry[], machines: readonly MachineMarks[], self: Self = ourselves()): ProcessEntry[] {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]));
  const ids = new Set(machines.map((machine) => machine.id));
  // While its leader lives, a session cannot be another one that got the same number.
  const sessions = new Set(machines.flatMap(({ leader }) => (leader && leads(byPid, leader) ? [leader.pid] : [])));
  const spared = withAncestors(byPid, self.pid);

  const children = Map.groupBy(table, (entry) => entry.parent);
  const found = new Set<ProcessEntry>();
  const queue = table.filter(
    (entry) =>
      (entry.machine !== undefined && ids.has(entry.machine)) ||
      (entry.uid === self.uid &&
        (sessions.has(entry.session) || sessions.has(entry.group) || machines.some((machine) => isAtHome(entry, machine.directory)))),
  );
  for (const entry of queue) {
    if (entry.pid > 1 && !spared.has(entry.pid) && !found.has(entry)) {
      found.add(entry);
      queue.push(...(children.get(entry.pid) ?? []));
    }
  }
  return [...found];
}

function leads(byPid: Map<number, ProcessEntry>, leader: { pid: number; start: string }): boolean {
  // Where there is no /proc there are no start times either, and the group is all there is.
  return leader.start === '' || byPid.get(leader.pid)?.start === leader.start;
}

function isAtHome(entry: ProcessEntry, directory: string): boolean {
  return entry.places.some((place) => place === directory || place.startsWith(`${directory}/`));
}

function withAncestors(byPid: Map<number, ProcessEntry>, pid: number): Set<number> {
  const line = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && at > 0 && !line.has(at); at = byPid.get(at)?.parent) {
    line.add(at);
  }
  return line;
}
