import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

export interface ShellOptions {
  env?: NodeJS.ProcessEnv;
  /** In milliseconds. @default 2 minutes */
  limit?: number;
}

/** Runs a program to its end. @returns what it wrote @throws what it complained of */
export async function run(program: string, args: readonly string[], { env, limit = 120_000 }: ShellOptions = {}): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, timeout: limit });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code ?? 'a signal'}: ${complaint.trim() || output.trim()}`);
  return output;
}

/** Whether a program ends well. */
export async function succeeds(program: string, args: readonly string[], options?: ShellOptions): Promise<boolean> {
  return run(program, args, options).then(
    () => true,
    () => false,
  );
}

/** Waits for a condition. */
export async function until(what: string, holds: () => Promise<boolean>, limit = 60_000): Promise<void> {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await pause(100);
  }
}

/** Says a step, and how long it took. */
export async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  const started = Date.now();
  process.stdout.write(`${what} … `);
  await work();
  console.log(`${((Date.now() - started) / 1000).toFixed(1)} s`);
}
