import { readFileSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const engineRecord = z.object({
  url: z.string(),
  pid: z.int().positive(),
  version: z.string(),
  /** Where its clouds come from, and a digest of what was written there. */
  clouds: z.object({ file: z.string().nullable(), digest: z.string() }),
});
/** What `engine.json` in a state directory says of the engine that serves it. */
export type EngineRecord = z.infer<typeof engineRecord>;

/** The engine that says it serves the state directory; undefined when none does. It may be dead all the same. */
export async function readEngineFile(state: string): Promise<EngineRecord | undefined> {
  const text = await readFile(pathIn(state), 'utf8').catch(() => '');
  try {
    return engineRecord.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Appears whole, or not at all. */
export async function writeEngineFile(state: string, record: EngineRecord): Promise<void> {
  const staged = `${pathIn(state)}.${process.pid}`;
  await writeFile(staged, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(staged, pathIn(state));
}

/** Takes the file away if it is still that of this process. */
export async function removeEngineFile(state: string): Promise<void> {
  if ((await readEngineFile(state))?.pid === process.pid) await rm(pathIn(state), { force: true });
}

/** Whether a process runs. One that has ended and that nobody asked about yet, as in a container without an init, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in ticks since the host did; undefined where there is no such process, or no /proc. */
export function beganAt(pid: number): string | undefined {
  return statOf(pid)[19];
}

function isZombie(pid: number): boolean {
  return /^[ZX]$/.test(statOf(pid)[0] ?? '');
}

/** What the kernel says of a process, from its state on. */
function statOf(pid: number): string[] {
  try {
    // `PID (NAME) STATE …`, where the name may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}

function pathIn(state: string): string {
  return join(state, 'engine.json');
}
