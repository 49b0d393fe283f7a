import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunDetail } from '@paceline/api';
import { expect, onTestFinished, test } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { at, event, runDetail } from '../testing/run-detail.ts';
import { downCommand } from './down.ts';

test('works in the end, although the store of the server fails for a moment', async () => {
  const active = runDetail([], { state: 'Executing' });
  const ending: RunDetail = { ...active, state: 'Finalizing', outcome: 'Cancelled' };
  const gone: RunDetail = { ...ending, state: 'Cancelled', endedAt: at(60) };
  const failed = { type: 'x', title: 't', status: 503, detail: 'not now', code: 'PACELINE_STORE_FAILED' };
  const stream = (text: string) => ({ status: 200, headers: { 'content-type': 'text/event-stream' }, text });
  const last = event(2, 'Cancelled', { type: 'run.state', data: { state: 'Cancelled' } });
  const json = (status: number, body: object) => ({ status, headers: { 'content-type': 'application/json' }, text: JSON.stringify(body) });
  const busy = { ...json(503, failed), headers: { 'content-type': 'application/problem+json', 'retry-after': '0' } };
  const path = `/api/runs/${active.id}`;
  const answers: Record<string, ReturnType<typeof json | typeof stream>[]> = {
    // The third comes while nobody drives the run: nothing comes of it.
    [`DELETE ${path}`]: [busy, busy, json(202, active), json(202, ending)],
    [`GET ${path}/events?after=${ending.lastEvent}`]: [
      busy,
      // A stream that is cut, and one that is told of the end.
      stream(''),
      stream(`id: 2\nevent: event\ndata: ${JSON.stringify(last)}\n\nevent: end\ndata: {}\n\n`),
    ],
    [`GET ${path}`]: [busy, json(200, gone)],
  };
  const server = createServer((request, response) => {
    const { status, headers, text } = answers[`${request.method} ${request.url}`]?.shift() ?? json(404, {});
    response.writeHead(status, headers).end(text);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const shell = recorder({ env: { PACELINE_SERVER: url, PACELINE_TOKEN: 'plo_x' } });
  expect(await downCommand([active.id], { wait: true }, shell)).toBe(0);
  expect(shell.out()).toBe(`${active.id} Cancelled\n`);
  expect(Object.values(answers).flat()).toEqual([]);
});
