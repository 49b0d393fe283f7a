import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { agentProtocol } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer, type JoinedRun } from './testing/test-server.ts';

let server: TestServer;
let base = '';
beforeAll(async () => {
  server = await TestServer.open();
  base = await server.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

function ask(token: string, upgrade = agentProtocol) {
  const headers = { authorization: `Bearer ${token}`, connection: 'upgrade', upgrade };
  const asked = request(`${base}/agent/stream`, { headers, agent: false });
  asked.on('error', () => {});
  return asked.end();
}

/** A link, and what has come down on it. */
async function link(run: JoinedRun, instance = 'web.1') {
  const [, socket, head] = (await once(ask(run.keyOf(instance)), 'upgrade')) as [IncomingMessage, Socket, Buffer];
  let text = head.toString();
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const events = (): { event: string; data: Record<string, unknown> }[] =>
    [...text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].map(([, event = '', data = '']) => ({ event, data: JSON.parse(data) }));
  const last = (event: string) =>
    vi.waitFor(() => events().findLast((each) => each.event === event) ?? expect.fail(`no ${event} in ${text}`), { timeout: 10_000 });
  const session = String((await last('hello')).data['session']);
  const say = (...ops: object[]): boolean => socket.write(`${JSON.stringify({ session, ops })}\n`);
  return { socket, closed, events, last, say, session };
}

const set = (id: number, value: string) => ({ op: 'set', id, key: 'web.1:ready', value, secret: false, ignoreAbort: false });
const get = (key: string, wait: boolean) => ({ op: 'get', key, wait, ignoreAbort: false });

describe('a connection for both ways', () => {
  it('brings events down, and answers to what goes up', async () => {
    const run = await server.run();
    const web = await link(run);
    const client = await link(run, 'client.1');
    client.say(get('web.1:ready', true));
    expect((await client.last('results')).data).toEqual({ results: [{ status: 'unset' }] });
    web.say(set(1, 'true'), get('web.1:ready', false));
    expect((await web.last('results')).data).toEqual({ results: [{ status: 'ok' }, { status: 'value', value: 'true', secret: false }] });
    expect((await client.last('value')).data).toEqual({ key: 'web.1:ready', value: 'true', secret: false });
  });

  it('tells all members at once, in the same words, what all have set', async () => {
    const run = await server.run();
    const web = await link(run);
    const all = { op: 'getAll', node: 'web', name: 'ready', wait: true, ignoreAbort: false };
    const client = await link(run, 'client.1');
    for (const each of [web, client]) {
      each.say(all);
      expect((await each.last('results')).data).toEqual({ results: [{ status: 'unset' }] });
    }
    web.say(set(1, 'true'));
    for (const each of [web, client])
      expect((await each.last('values')).data).toEqual({ node: 'web', name: 'ready', values: { 1: 'true' } });
    client.say(all);
    await vi.waitFor(() =>
      expect(client.events().at(-1)?.data).toEqual({ results: [{ status: 'values', values: { 1: 'true' }, unset: [] }] }),
    );
  });

  it('stays when more is asked than is answered at once', async () => {
    const web = await link(await server.run());
    web.say(set(1, 'x'.repeat(1024 * 1024)));
    await web.last('results');
    web.say(...Array.from({ length: 12 }, () => get('web.1:ready', false)));
    expect((await web.last('problem')).data).toMatchObject({ status: 413, code: 'PACELINE_TOO_LARGE' });
    web.say(...Array.from({ length: 6 }, () => get('web.1:ready', false)));
    await vi.waitFor(() => expect(web.events().at(-1)?.data['results']).toHaveLength(6), { timeout: 10_000 });
  });

  it.each([
    ['no JSON', 'nothing of the kind', 400, 'PACELINE_REQUEST_INVALID'],
    ['no op that there is', '{"session":"","ops":[{"op":"become","user":"root"}]}', 400, 'PACELINE_REQUEST_INVALID'],
    ['said on another connection', '{"session":"","ops":[]}', 409, 'PACELINE_CONFLICT'],
  ])('says what is wrong with %s, and stays', async (_what, line, status, code) => {
    const web = await link(await server.run());
    web.socket.write(`${line}\n`);
    expect((await web.last('problem')).data).toMatchObject({ status, code });
    web.say(set(1, 'true'));
    expect((await web.last('results')).data).toEqual({ results: [{ status: 'ok' }] });
  });

  it('reads lines that are cut anywhere', async () => {
    const web = await link(await server.run());
    const line = Buffer.from(`${JSON.stringify({ session: web.session, ops: [set(1, 'é'.repeat(3))] })}\n`);
    for (const byte of line) {
      web.socket.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect((await web.last('results')).data).toEqual({ results: [{ status: 'ok' }] });
  });

  it('is cut off when the agent does not wait for its answers, or does not end its lines', async () => {
    const run = await server.run();
    const hasty = await link(run);
    hasty.socket.write(`${JSON.stringify({ session: hasty.session, ops: [set(1, 'x')] })}\n`.repeat(2));
    await hasty.closed;
    const endless = await link(run);
    const sent = (async () => {
      for (let mebibytes = 0; mebibytes < 40 && !endless.socket.destroyed; mebibytes++) {
        endless.socket.write('x'.repeat(1024 * 1024));
        await new Promise(setImmediate);
      }
    })();
    await endless.closed;
    await sent;
    expect([hasty, endless].map(({ socket }) => socket.destroyed)).toEqual([true, true]);
  });

  it('is replaced by the next one of the same agent', async () => {
    const run = await server.run();
    const first = await link(run);
    const second = await link(run);
    await first.closed;
    second.say(set(1, 'true'));
    expect((await second.last('results')).data).toEqual({ results: [{ status: 'ok' }] });
  });

  it('is refused over HTTP', async () => {
    const [answer] = (await once(ask('nobody'), 'response')) as [IncomingMessage];
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([401, 'application/problem+json; charset=utf-8']);
    const text = (await answer.toArray()).join('');
    expect(JSON.parse(text)).toMatchObject({ code: 'PACELINE_UNAUTHENTICATED' });
  });

  it('is not had by asking for another protocol: that is answered with the stream', async () => {
    const run = await server.run();
    const [answer] = (await once(ask(run.keyOf('web.1'), 'websocket'), 'response')) as [IncomingMessage];
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
    answer.destroy();
  });

  it('does not hold up the end of the server', async () => {
    const other = await TestServer.open();
    const address = await other.app.listen({ host: '127.0.0.1', port: 0 });
    const run = await other.run();
    const headers = { authorization: `Bearer ${run.keyOf('web.1')}`, connection: 'upgrade', upgrade: agentProtocol };
    const [, socket] = (await once(request(`${address}/agent/stream`, { headers, agent: false }).end(), 'upgrade')) as [
      IncomingMessage,
      Socket,
    ];
    socket.resume();
    const gone = once(socket, 'close');
    await other.close();
    await gone;
    expect(socket.destroyed).toBe(true);
  });
});
