import { createServer, type Server, type Socket } from 'node:net';
import { getOrMake } from './get-or-make.ts';
import { connected, readLines } from './lines.ts';
import type { Member, Peer, Wait } from './peer.ts';
import { startServerProcess } from './server-process.ts';

/** The least that two Node processes need: lines over TCP, values in memory. */
export const tcpFloor: Peer = {
  name: 'TCP floor',
  terms: 'memory only; lines',
  large: true,
  start: () => startServerProcess('tcp-floor'),
  async connect(endpoint) {
    const socket = await connected(Number(endpoint));
    const answers: ((line: string) => void)[] = [];
    let wake = (): void => {};
    readLines(socket, (line) => (line.startsWith('V') ? wake() : answers.shift()?.(line)));
    const ask = (line: string): Promise<string> => {
      socket.write(`${line}\n`);
      return new Promise((resolve) => answers.push(resolve));
    };
    const wait = (key: string): Wait => {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      return { woken, armed: ask(`W ${key}`) };
    };
    return {
      set: (key, value) => ask(`S ${key} ${value}`),
      wait,
      async barrier({ name, count }) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        await ask(`B ${name} ${count}`);
        await woken;
      },
    } satisfies Member;
  },
};

export function serveTcpFloor(port: number): Server {
  const values = new Map<string, string>();
  const waiters = new Map<string, Socket[]>();
  const there = new Map<string, Socket[]>();
  const server = createServer({ noDelay: true }, (socket) => {
    readLines(socket, (line) => {
      const [what, key = '', rest = ''] = line.split(' ');
      if (what === 'S') {
        values.set(key, rest);
        for (const waiter of waiters.get(key) ?? []) waiter.write(`V ${rest}\n`);
        waiters.delete(key);
        socket.write('A\n');
      } else if (what === 'W') {
        getOrMake(waiters, key, () => []).push(socket);
        socket.write('A\n');
      } else {
        const members = getOrMake(there, key, () => []);
        members.push(socket);
        socket.write('A\n');
        if (members.length === Number(rest)) for (const member of members) member.write('V\n');
      }
    });
    socket.on('error', () => {});
  });
  return server.listen({ port, host: '127.0.0.1', backlog: 4096 });
}
