import { execFile } from 'node:child_process';

/**
 * Gives the SSH server of the machine another host key, by the program that came with the bootstrap.
 * @param timeout milliseconds
 * @throws Error when it cannot, or not in time
 */
export function takeHostKey(program: string, key: string, signal: AbortSignal, timeout = 30_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile('sh', [program], { timeout, signal }, (error) => {
      if (!error) resolve();
      else reject(error.killed ? new Error(`${program} took too long`) : error);
    });
    // It may end before it has read the key, and then says why itself.
    child.stdin!.on('error', () => {}).end(key);
  });
}
