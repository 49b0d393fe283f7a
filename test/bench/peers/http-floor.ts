import { Agent, createServer, request, type Server, type ServerResponse } from 'node:http';
import { getOrMake } from './get-or-make.ts';
import type { Member, Peer, Wait } from './peer.ts';
import { startServerProcess } from './server-process.ts';

/** The least that node:http needs: keep-alive requests, a long poll for each wait, values in memory. */
export const httpFloor: Peer = {
  name: 'HTTP floor',
  terms: 'memory only; node:http, a long poll each',
  start: () => startServerProcess('http-floor'),
  async connect(endpoint) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
    const ask = (path: string, body = ''): { head: Promise<unknown>; text: Promise<string> } => {
      const head = Promise.withResolvers<unknown>();
      const text = new Promise<string>((resolve, reject) => {
        const options = {
          port: Number(endpoint),
          host: '127.0.0.1',
          method: 'POST',
          path,
          agent,
          headers: { 'content-length': body.length },
        };
        const sent = request(options, (response) => {
          head.resolve(undefined);
          let read = '';
          response.setEncoding('utf8').on('data', (part: string) => (read += part));
          response.on('end', () => resolve(read));
        });
        sent.on('error', reject);
        sent.end(body);
      });
      return { head: head.promise, text };
    };
    const wait = (key: string): Wait => {
      const { head, text } = ask(`/wait/${key}`);
      return { armed: head, woken: text };
    };
    return {
      set: (key, value) => ask(`/set/${key}`, value).text,
      wait,
      barrier: ({ name, count }) => ask(`/meet/${name}/${count}`, '1').text,
      exchange: async ({ name, count }, address) => (JSON.parse(await ask(`/all/${name}/${count}`, address).text) as string[]).length,
    } satisfies Member;
  },
};

export function serveHttpFloor(port: number): Server {
  const waiters = new Map<string, ServerResponse[]>();
  const meetings = new Map<string, { values: string[]; there: ServerResponse[] }>();
  const server = createServer((asked, answer) => {
    let body = '';
    asked.setEncoding('utf8').on('data', (part: string) => (body += part));
    asked.on('end', () => {
      const [, what = '', key = '', count = ''] = (asked.url ?? '').split('/');
      if (what === 'set') {
        for (const waiter of waiters.get(key) ?? []) waiter.end(body);
        waiters.delete(key);
        answer.end('ok');
      } else if (what === 'wait') {
        answer.flushHeaders();
        getOrMake(waiters, key, () => []).push(answer);
      } else {
        const { values, there } = getOrMake(meetings, key, () => ({ values: [], there: [] }));
        values.push(body);
        there.push(answer);
        if (there.length < Number(count)) return;
        const text = what === 'all' ? JSON.stringify(values) : 'go';
        for (const member of there) member.end(text);
      }
    });
  });
  return server.listen({ port, host: '127.0.0.1', backlog: 4096 });
}
