import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process, as far as it matters to whom it belongs. `start` tells two processes with the same pid apart. */
export interface ProcessEntry {
  pid: number;
  start: string;
  parent: number;
  /** Process group. */
  group: number;
  session: number;
  uid: number;
  /** PACELINE_MACHINE of the environment it was started with. */
  machine?: string;
  /** Where its working directory, standard output and standard error are; empty when it sits at somebody's terminal. */
  places: string[];
}

export interface ProcessTable {
  /** All processes that live at some time after the call. Calls that come together share one look. */
  snapshot(): Promise<ProcessEntry[]>;
  /** Whether this very process still lives. An empty `start` stands for any process with the pid. */
  isAlive(process: { pid: number; start: string }): boolean;
}

export function openProcessTable(platform: NodeJS.Platform): ProcessTable {
  const proc = platform === 'linux';
  const scan = proc ? scanProc : scanPs;
  let next: Promise<ProcessEntry[]> | undefined;
  return {
    snapshot() {
      next ??= new Promise((resolve) => {
        setImmediate(() => {
          next = undefined;
          resolve((async () => scan())());
        });
      });
      return next;
    },
    isAlive: ({ pid, start }) => (proc ? isSame(pid, start) : signalsReach(pid)),
  };
}

interface Stat extends Pick<ProcessEntry, 'pid' | 'start' | 'parent' | 'group' | 'session'> {
  dead: boolean;
  terminal: boolean;
}

/** A line of /proc/PID/stat. The name in parentheses may itself hold spaces and parentheses. */
export function parseStat(line: string): Stat | undefined {
  const pid = Number.parseInt(line, 10);
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .trim()
    .split(' ');
  const [state, parent, group, session, terminal] = fields;
  const start = fields[19];
  if (Number.isNaN(pid) || start === undefined) {
    return undefined;
  }
  return {
    pid,
    start,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    terminal: terminal !== '0',
    dead: state === 'Z' || state === 'X',
  };
}

/** Synchronous on purpose: /proc answers from memory, and some hundred hops to the thread pool take longer than the reading. */
function scanProc(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(name) ?? []);
}

function readProcess(name: string): ProcessEntry | undefined {
  const stat = parseStat(attempt(() => readFileSync(`/proc/${name}/stat`, 'utf8')) ?? '');
  if (stat === undefined || stat.dead) {
    return undefined;
  }
  const { dead: _, terminal, ...entry } = stat;
  const status = attempt(() => readFileSync(`/proc/${name}/status`, 'latin1')) ?? '';
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1);
  // The kernel shows the rest only to the process's own user and to root.
  const environment = attempt(() => readFileSync(`/proc/${name}/environ`, 'latin1'));
  const machine = /(?:^|\0)PACELINE_MACHINE=([^\0]*)/.exec(environment ?? '')?.[1];
  const links = environment === undefined || terminal ? [] : ['cwd', 'fd/1', 'fd/2'];
  const places = links.flatMap((link) => attempt(() => readlinkSync(`/proc/${name}/${link}`)) ?? []);
  return { ...entry, uid, places, ...(machine !== undefined && { machine }) };
}

function isSame(pid: number, start: string): boolean {
  const stat = parseStat(attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? '');
  return stat !== undefined && !stat.dead && (start === '' || stat.start === start);
}

/** Without /proc: process groups are all there is to go by. */
function scanPs(): ProcessEntry[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,uid=,stat='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const [pid, parent, group, uid, state] = line.trim().split(/\s+/);
    if (state === undefined || state.startsWith('Z')) {
      return [];
    }
    return {
      pid: Number(pid),
      start: '',
      parent: Number(parent),
      group: Number(group),
      session: 0,
      uid: Number(uid),
      places: [],
    };
  });
}

function signalsReach(pid: number): boolean {
  return attempt(() => process.kill(pid, 0)) ?? false;
}

/** Processes end while we look at them: what cannot be read is not there. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
