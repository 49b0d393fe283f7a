import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** The processor time, in seconds, that the living members of a process's family have spent; and that of the whole host. */
export function cpuSeconds(root: number): number {
  const children = new Map<number, number[]>();
  const spent = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = read(`/proc/${name}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    const [pid, parent] = [Number(name), Number(fields[1])];
    children.set(parent, [...(children.get(parent) ?? []), pid]);
    // utime and stime, and those of children that have ended.
    spent.set(pid, [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / ticksPerSecond);
  }
  const sum = (pid: number): number => (spent.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((all, child) => all + sum(child), 0);
  return sum(root);
}

/** User, system and interrupt time that the whole host has spent, in seconds: what others do on it counts too. */
export function hostCpuSeconds(): number {
  const [, user = '0', nice = '0', kernel = '0', , , irq = '0', softirq = '0'] = (read('/proc/stat').split('\n')[0] ?? '').split(/\s+/);
  return [user, nice, kernel, irq, softirq].reduce((all, each) => all + Number(each), 0) / ticksPerSecond;
}

/** Resident memory of one process, in MiB. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1]) / 1024;
}

/** The most that one process has had resident, in MiB, since it was made or the last `forgetPeak`. */
export function peakMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1]) / 1024;
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
