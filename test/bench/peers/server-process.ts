import { fork } from 'node:child_process';
import { once } from 'node:events';
import { freePort, type Running } from './peer.ts';

/** A floor in a process of its own. */
export async function startServerProcess(name: 'tcp-floor' | 'http-floor'): Promise<Running> {
  const port = await freePort();
  const child = fork(new URL('./server-main.ts', import.meta.url), [name, String(port)]);
  await once(child, 'message');
  return {
    pid: child.pid ?? 0,
    endpoint: () => String(port),
    async stop() {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}
