import type { WriteStream } from 'node:tty';

/** Where a command runs: everything that it gets from its surroundings. */
export interface Shell {
  env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  cwd: string;
  stdout: Output;
  stderr: Output;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Aborted when nobody reads the standard output any more. */
  readerGone: AbortSignal;
}

/** A stream that people or programs read. */
export type Output = Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number; rows?: number };

/** The options that every command has. */
export interface GlobalOptions {
  /** Address of a server; without it the embedded engine is used. */
  server?: string;
  token?: string;
  /** The state directory of the embedded engine. */
  state?: string;
}

/** The surroundings of this process. A reader that has seen enough, as in `paceline list | head`, is no failure. */
export function processShell(): Shell {
  const gone = new AbortController();
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      if (stream === stdout) gone.abort();
    });
  }
  return { env: process.env, cwd: process.cwd(), stdout, stderr, now: Date.now, readerGone: gone.signal };
}

/** Writes one line for people to the standard error: the standard output is for results. */
export function say(shell: Shell, line: string): void {
  shell.stderr.write(`${line}\n`);
}
