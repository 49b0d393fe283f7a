import { hostname } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.open();
});
afterEach(() => server.close());

test('a shell is to be had at the address of a machine, for those who may change the run', async () => {
  const run = await server.run();
  const { id, token } = run;
  const url = `/api/runs/${id}/instances/web.1/way-in`;
  const answer = await server.ask('POST', url, { token });
  expect(answer.json()).toEqual({
    on: hostname(),
    way: { kind: 'ssh', host: expect.stringMatching(/^10\.0\.0\.\d+$/), port: 22, user: 'root', hostKeys: [] },
  });
  for (const other of [null, run.keyOf('web.1'), 'plr_other'])
    expect((await server.ask('POST', url, { token: other })).statusCode).toBe(401);
});

test('what is not there is said, with what is', async () => {
  const { id } = await server.run();
  const ask = (name: string) => server.ask('POST', `/api/runs/${id}/instances/${name}/way-in`);
  const missing = await ask('db.1');
  expect(missing.statusCode).toBe(404);
  expect(missing.json()).toMatchObject({ code: 'PACELINE_NOT_FOUND', detail: expect.stringContaining('no instance db.1') });
  expect(missing.body).toContain('web.1, client.1');
  const console = await server.ask('GET', `/api/runs/${id}/instances/web.1/console`);
  expect(console.json()).toMatchObject({ code: 'PACELINE_CONFLICT', detail: expect.stringContaining('does not show consoles') });
});

test('a console is read from where the last piece ended', async () => {
  const asked: unknown[] = [];
  server.world.cloud.connector.consoleLog = async (machine, since) => {
    asked.push([machine, since]);
    return { text: 'Linux'.slice(since), next: 5 };
  };
  const { id } = await server.run();
  const console = (since: number) => server.ask('GET', `/api/runs/${id}/instances/web.1/console?since=${since}`);
  expect((await console(0)).json()).toEqual({ text: 'Linux', next: 5 });
  expect((await console(3)).json()).toEqual({ text: 'ux', next: 5 });
  expect(asked).toEqual([
    ['i-1', 0],
    ['i-1', 3],
  ]);
  expect((await console(-1)).statusCode).toBe(400);
});
