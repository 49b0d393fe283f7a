import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { uptime } from 'node:os';

/** Changes when the machine boots. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {}
  try {
    return String(execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { stdio: 'pipe' })).trim();
  } catch {
    return `boot-${Math.round((Date.now() / 1000 - uptime()) / 600)}`;
  }
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
  try {
    const status = processStatus(pid);
    if (status.state === 'Z' || status.state === 'X') return false;
    if (startTime && status.startTime !== startTime) return false;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
  } catch {
    // Without a /proc its number must do.
    return process.platform !== 'linux';
  }
}

export interface ProcessStatus {
  state: string;
  session: number;
  /** In clock ticks since boot. */
  startTime: string;
}

export function processStatus(pid: number): ProcessStatus {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command in the second field may contain anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, session: Number(fields[3]), startTime: fields[19]! };
}

export function startTimeOf(pid: number): string | undefined {
  try {
    return processStatus(pid).startTime;
  } catch {
    return undefined;
  }
}

/**
 * The processes that scripts of this instance have left behind, wherever they went: those that carry its environment, and those
 * in the sessions of its scripts. Only where there is a /proc.
 */
export function leftovers(marks: string[], sessions: ReadonlySet<number>): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.map(Number).filter((pid) => pid > 1 && pid !== process.pid && isLeftover(pid, marks, sessions));
}

function isLeftover(pid: number, marks: string[], sessions: ReadonlySet<number>): boolean {
  try {
    const { state, session } = processStatus(pid);
    if (state === 'Z') return false;
    if (sessions.has(session)) return true;
    const env = `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
    return marks.every((mark) => env.includes(`\0${mark}\0`));
  } catch {
    return false;
  }
}
