import { createClient, type Client } from '@paceline/api';
import { lostAnswer } from '@paceline/engine/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { operatorToken, TestServer } from '../../packages/server/src/testing/test-server.ts';
import { remains, takeDownFailure } from '../../actions/src/report/remains.ts';
import { StepOutput } from '../../actions/src/runner/output.ts';
import { bringDown, leftOf, together } from '../../actions/src/run/take-down.ts';
import type { Session } from '../../actions/src/session/session.ts';

async function serve(): Promise<{ server: TestServer; client: Client }> {
  const server = await TestServer.open();
  onTestFinished(() => server.close());
  const url = await server.app.listen({ port: 0, host: '127.0.0.1' });
  return { server, client: createClient({ url, token: operatorToken }) };
}

test('a run that does not end in time is named with the machines that are still there', async () => {
  const { server, client } = await serve();
  const { id } = await server.run();
  const { cloud } = server.world;
  cloud.faults.push({ ...lostAnswer('terminate'), when: 'before' });
  const session: Session = { client, embedded: false, token: async () => operatorToken, renew: async () => false, close: async () => {} };
  const output = new StepOutput({ write: () => true });
  const taking = bringDown({ session, run: id, output, deadline: performance.now() + 2000 });
  await vi.waitFor(() => expect(cloud.faults).toEqual([]));
  const { run } = await taking;
  expect([run.state, run.endedAt]).toEqual(['Finalizing', null]);
  const there = [...cloud.machines.keys()];
  expect(remains(run).map((what) => what.split(' of ')[0])).toEqual(there.map((machine) => `machine ${machine}`));
  expect(remains(run)).toHaveLength(2);
  expect(takeDownFailure(run, [], true)).toContain('still Finalizing');
});

test('what one engine could not ask, another may have, and what neither could is not known', () => {
  const machine = (cloud: string) => ({ cloud, what: `machine m on ${cloud}` });
  const first = { left: [machine('a')], unasked: ['b'] };
  expect(leftOf(first)).toBeUndefined();
  expect(leftOf(together(first, { left: [], unasked: [] }))).toEqual([]);
  expect(leftOf(together(first, { left: [machine('b')], unasked: ['a'] }))).toEqual(['machine m on a', 'machine m on b']);
  expect(leftOf(together(first, { left: [], unasked: ['b'] }))).toBeUndefined();
  expect(together(first, { left: [], unasked: [undefined] })).toBe(first);
});
