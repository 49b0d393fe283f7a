import { spawn } from 'node:child_process';
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { constants, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import { startOf, type Start } from '../machine/way-in.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

/** `paceline ssh`: a shell, or a command, on a machine. The exit code is that of the command. */
export async function sshCommand([run = '', instance = '', ...command]: string[], options: GlobalOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const answer = await client.machines.wayIn(run, instance);
  const start = startOf(answer, command, {
    hostname: hostname(),
    shell: shell.env['SHELL'] ?? '/bin/sh',
    env: shell.env,
    isTerminal: process.stdin.isTTY && shell.stdout.isTTY === true,
    hasOwnUsers: (pid) => userNamespace(pid) !== userNamespace('self'),
  });
  const folder = mkdtempSync(join(tmpdir(), 'paceline-ssh-'));
  try {
    return await outcome(start, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function outcome({ program, args, cwd, env, knownHosts = [] }: Start, folder: string): Promise<number> {
  const file = join(folder, 'known_hosts');
  writeFileSync(file, knownHosts.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  // Ctrl-C is for the command: it gets it from the terminal, as we do.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  const child = spawn(
    program,
    args.map((argument) => argument.replace('@known-hosts@', file)),
    { stdio: 'inherit', ...(cwd === undefined ? {} : { cwd }), env: { ...env } },
  );
  return new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => {
      reject(
        new PacelineError('PACELINE_REQUEST_INVALID', `${program} cannot be started: ${cause.message}`, {
          cause,
          hint: `Is ${program} installed?`,
        }),
      );
    });
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  }).finally(() => process.removeListener('SIGINT', ignore));
}

function userNamespace(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch {
    return '';
  }
}
