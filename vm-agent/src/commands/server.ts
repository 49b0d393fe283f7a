import { chmodSync, rmSync } from 'node:fs';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import { readAll } from '../link/http.ts';
import { linger } from '../link/waits.ts';
import type { CommandBench, CommandCall } from './call.ts';
import { runCommandCall } from './commands.ts';
import { encodeReply } from './reply.ts';
import type { CommandUnderWay } from './under-way.ts';

/** A value of 1 MiB has three times as many characters when it is URL-encoded. */
const longestCall = 4 * 1024 * 1024;

/**
 * Answers the `ss-*` commands on a Unix socket that only its owner can use.
 * @param underWay is kept up to date
 */
export async function serveCommands(socket: string, bench: CommandBench, underWay: Set<CommandUnderWay>): Promise<Server> {
  // An engine that is away may let a command wait for days.
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    void answer(request, bench, underWay).then(
      (text) => response.end(text),
      () => {
        response.statusCode = 400;
        response.end();
      },
    );
  });
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  return server;
}

async function answer(request: IncomingMessage, bench: CommandBench, underWay: Set<CommandUnderWay>): Promise<string> {
  const body = await readAll(request, longestCall);
  const call = decodeCall((request.url ?? '').slice(1), body.toString('latin1'));
  const command: CommandUnderWay = { pid: call.pid, end: call.deadline };
  const forget = (): boolean => underWay.delete(command);
  for (const earlier of underWay) if (earlier.pid === call.pid) underWay.delete(earlier);
  underWay.add(command);
  const reply = await runCommandCall(call, bench);
  if ('deadline' in reply) {
    command.end = reply.deadline;
    setTimeout(forget, linger).unref();
  } else forget();
  return encodeReply(reply);
}

/** `a` once per argument, `p` the process, `w` the deadline, `i` whether the script sees no abort, `d` its folder, `f` its standard input. */
export function decodeCall(name: string, body: string): CommandCall {
  const form = new URLSearchParams(body);
  const deadline = form.get('w');
  return {
    name,
    argv: form.getAll('a'),
    pid: Number(form.get('p')),
    deadline: deadline ? Number(deadline) : undefined,
    ignoreAbort: form.get('i') === '1',
    cwd: form.get('d') || '/',
    stdin: form.get('f') ?? undefined,
  };
}
