import { readdirSync, readFileSync } from 'node:fs';

/** The processes of this host whose environment or command line holds a text, by pid. */
export function processesWith(text: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const command = read(`/proc/${name}/cmdline`);
      const matches = read(`/proc/${name}/environ`).includes(text) || command.includes(text);
      return matches && !isZombie(name) ? [{ pid: Number(name), command: command.replaceAll('\0', ' ') }] : [];
    });
}

function isZombie(pid: string): boolean {
  return /^\d+ \(.*\) Z/.test(read(`/proc/${pid}/stat`));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
