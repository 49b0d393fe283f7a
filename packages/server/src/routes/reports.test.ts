import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer, type JoinedRun } from '../testing/test-server.ts';

let server: TestServer;
let run: JoinedRun;
beforeAll(async () => {
  server = await TestServer.open();
  run = await server.run();
});
afterAll(() => server.close());

const content = Buffer.from('not really a tarball');
const sha256 = createHash('sha256').update(content).digest('hex');
const name = (index: number): string => `web.1_report_2012-01-19T20352${index}Z.tgz`;

function send(report: string, part: Buffer, offset: number, { size = content.length, digest = sha256, instance = 'web.1' } = {}) {
  return server.ask('PUT', `/agent/reports/${report}?offset=${offset}&size=${size}&sha256=${digest}`, {
    token: run.keyOf(instance),
    payload: part,
    headers: { 'content-type': 'application/gzip' },
  });
}

describe('a report', () => {
  it('comes in parts, is listed once it is whole, and is handed out as a file and nothing else', async () => {
    const report = name(1);
    expect((await send(report, content.subarray(0, 5), 0)).json()).toEqual({ received: 5, complete: false });
    expect((await server.ask('GET', `/api/runs/${run.id}/reports`)).json()).toEqual({ reports: [] });
    expect((await server.ask('GET', `/agent/reports/${report}`, { token: run.keyOf('web.1') })).json()).toEqual({
      received: 5,
      complete: false,
    });
    expect((await send(report, content.subarray(5), 5)).json()).toEqual({ received: content.length, complete: true });
    const { reports } = (await server.ask('GET', `/api/runs/${run.id}/reports`)).json<{ reports: object[] }>();
    expect(reports).toEqual([{ name: report, instance: 'web.1', bytes: content.length, sha256, at: expect.any(String) }]);
    const file = await server.ask('GET', `/api/runs/${run.id}/reports/${report}`, { token: run.token });
    expect(file.rawPayload.equals(content)).toBe(true);
    expect(file.headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-length': String(content.length),
      'content-disposition': `attachment; filename="${report}"`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
    });
  });

  it.each([
    ['out of order', () => send(name(2), content.subarray(3), 3), 409],
    ['of another instance', () => send(name(2), content, 0, { instance: 'client.1' }), 403],
    ['with a wrong checksum', () => send(name(2), content, 0, { digest: 'a'.repeat(64) }), 422],
    ['that is longer than announced', () => send(name(3), content, 0, { size: 3 }), 400],
    ['that is larger than the server takes', () => send(name(2), content, 0, { size: 2 * 1024 * 1024 }), 413],
    ['with a name that is a path', () => send('..%2F..%2Fweb.1_report_2012-01-19T203521Z.tgz', content, 0), 403],
    ['with a name that is none', () => send('web.1.tgz', content, 0), 403],
  ])('%s is refused', async (_what, attempt, status) => {
    expect((await attempt()).statusCode).toBe(status);
    const { reports } = (await server.ask('GET', `/api/runs/${run.id}/reports`)).json<{ reports: object[] }>();
    expect(reports.length).toBeLessThanOrEqual(1);
  });

  it.each(['nothing.tgz', '..%2F..%2Fengine.key', name(9)])('named %s is not found', async (report) => {
    expect((await server.ask('GET', `/api/runs/${run.id}/reports/${report}`)).statusCode).toBe(404);
  });
});
