import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { uptime } from 'node:os';
import { tried } from '../tried.ts';
import type { ProcessTable } from './examination.ts';

/** Changes when the machine boots. Containers have the boot of their host, but a first process of their own. */
export function bootId(): string {
  const id =
    tried(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ??
    tried(() => execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { stdio: 'pipe', encoding: 'utf8' })) ??
    `boot-${Math.round((Date.now() / 1000 - uptime()) / 600)}`;
  return `${id.trim()}-${startTimeOf(1)}`;
}

/**
 * Whether that process still lives, and is the one that we mean: its arguments contain `mark`, and (where it is known) it began
 * when ours did. Process numbers are used again.
 */
export function isAlive(pid: number, mark: string, startTime?: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const same = tried(() => {
    const status = processStatus(pid);
    if (status.state === 'Z' || status.state === 'X') return false;
    if (startTime && status.startTime !== startTime) return false;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
  });
  // Without a /proc its number must do.
  return same ?? process.platform !== 'linux';
}

export interface ProcessStatus {
  pid: number;
  /** Of its program; no more than 15 bytes of it. */
  name: string;
  state: string;
  parent: number;
  group: number;
  session: number;
  /** Time on the processor, its own and that of its children that are gone: another text when it has grown. */
  ticks: string;
  threads: number;
  /** In clock ticks since boot. */
  startTime: string;
}

export function processStatus(pid: number): ProcessStatus {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name may contain anything.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const [parent, group, session] = fields.slice(1, 4).map(Number) as [number, number, number];
  return {
    pid,
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0]!,
    parent,
    group,
    session,
    ticks: fields.slice(11, 15).join(' '),
    threads: Number(fields[17]),
    startTime: fields[19]!,
  };
}

export function startTimeOf(pid: number): string | undefined {
  return tried(() => processStatus(pid).startTime);
}

/** All that live. Throws where there is no /proc. */
function processes(): ProcessStatus[] {
  return readdirSync('/proc').flatMap((name) => {
    const status = Number(name) > 0 ? tried(() => processStatus(Number(name))) : undefined;
    return !status || status.state === 'Z' ? [] : status;
  });
}

/** Whether all of them are in the environment that the process began with. */
function carries(pid: number, marks: string[]): boolean {
  const env = `\0${tried(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))}`;
  return marks.every((mark) => env.includes(`\0${mark}\0`));
}

/** The processes of this machine; those of one instance carry its marks. */
export function processTable(marks: string[]): ProcessTable {
  return {
    list: processes,
    isOurs: (pid) => carries(pid, marks),
    waitsIn: (pid) => tried(() => readFileSync(`/proc/${pid}/wchan`, 'utf8')) ?? '',
  };
}

/**
 * The processes that scripts of this instance have left behind, wherever they went: those that carry its environment, and those
 * in the sessions of its scripts. Only where there is a /proc.
 */
export function leftovers(marks: string[], sessions: ReadonlySet<number>): number[] {
  return (tried(processes) ?? []).flatMap(({ pid, session }) =>
    pid > 1 && pid !== process.pid && (sessions.has(session) || carries(pid, marks)) ? pid : [],
  );
}
