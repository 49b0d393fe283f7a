import type { ReapReport } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

describe('reaping', () => {
  it('shows what nobody needs, and removes it only when told to', async () => {
    const run = await server.run();
    const { machines } = server.world.cloud;
    const [machine] = machines.values();
    const orphan = '00000000-0000-4000-8000-000000000000';
    if (machine !== undefined) machines.set('i-orphan', { ...machine, id: 'i-orphan', owner: { ...machine.owner, run: orphan } });
    const reap = async (payload: object): Promise<ReapReport> => (await server.ask('POST', '/api/reap', { payload })).json();
    const expected = { cloud: 'test', kind: 'machine', id: 'i-orphan', run: orphan, reason: `there is no run ${orphan}` };
    expect(await reap({})).toMatchObject({ orphans: [{ ...expected, outcome: 'found' }], failures: [], seen: 3 });
    expect(machines.has('i-orphan')).toBe(true);
    expect(await reap({ remove: true })).toMatchObject({ orphans: [{ ...expected, outcome: 'removed' }] });
    expect(machines.has('i-orphan')).toBe(false);
    expect(await reap({ remove: true })).toMatchObject({ orphans: [], seen: 2 });
    expect((await server.ask('GET', `/api/runs/${run.id}`)).json()).toMatchObject({ state: 'Executing' });
  });
});
