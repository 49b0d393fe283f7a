import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { until } from '../../support/until.ts';
import { freePort, type Running } from './peer.ts';

const startTimeoutMs = 30_000;

/** Starts a Debian program that listens on loopback, with its state in a folder that goes with it. */
export async function startProgram(
  program: string,
  args: (port: number, folder: string, other: number) => string[],
): Promise<Running | undefined> {
  const path = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
    .map((folder) => join(folder, program))
    .find(isProgram);
  if (path === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), `paceline-bench-${program}-`));
  const [port, other] = [await freePort(), await freePort()];
  const child = spawn(path, args(port, folder, other), { cwd: folder, stdio: 'ignore' });
  await until(() => reachable(port), startTimeoutMs, 20);
  return {
    pid: child.pid ?? 0,
    endpoint: () => String(port),
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function reachable(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
