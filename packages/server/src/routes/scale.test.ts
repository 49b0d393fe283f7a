import type { ScaleAnswer } from '@paceline/api';
import { joinFromUserData, type TestAgent } from '@paceline/engine/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestServer, type JoinedRun } from '../testing/test-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.open();
});
afterEach(() => server.close());

/** A scalable run that has got ready. */
async function ready(): Promise<JoinedRun> {
  const run = await server.run({ scalable: true });
  for (const agent of run.agents.values()) agent.connect();
  await settle(run);
  return run;
}

/** Machines that are new join, those that go end, and everybody does what is asked of them, until the run is ready. */
async function settle(run: JoinedRun): Promise<void> {
  await vi.waitFor(async () => {
    for (const { owner, userData } of server.world.cloud.machines.values()) {
      const [, name = ''] = /"instance":"([^"]+)"/.exec(userData) ?? [];
      if (owner.run !== run.id || run.agents.has(name)) continue;
      const agent: TestAgent = (await joinFromUserData(server.engine, userData, run.keyOf(name))).connect();
      run.agents.set(name, agent);
    }
    const { facts } = (await server.engine.activeRun(run.id)).run;
    for (const agent of run.agents.values()) await agent.say({ op: 'complete', seq: facts.seq });
    expect((await server.engine.runDetail(run.id)).state).toBe('Ready');
  }, 5000);
}

function scale(run: JoinedRun, body: object) {
  return server.ask('POST', `/api/runs/${run.id}/scale`, { token: run.token, payload: body });
}

const node = 'client';

describe('POST /api/runs/{run}/scale', () => {
  it('scales up and down, and does so once when it is asked again', async () => {
    const run = await ready();
    const body = { id: crypto.randomUUID(), node, add: 2 };
    for (let time = 0; time < 2; time++) {
      const answer = await scale(run, body);
      expect([answer.statusCode, answer.json<ScaleAnswer>().instances]).toEqual([202, ['client.2', 'client.3']]);
      expect(answer.json<ScaleAnswer>().run.scaling).toEqual({ action: 'vm_create', node, instances: ['client.2', 'client.3'] });
    }
    expect((await scale(run, { node, add: 1 })).json()).toMatchObject({ status: 409, code: 'PACELINE_CONFLICT' });
    await settle(run);
    expect((await scale(run, { node, removeIds: [1] })).json<ScaleAnswer>().instances).toEqual(['client.1']);
    await settle(run);
    const { instances, scaling } = await server.engine.runDetail(run.id);
    expect([instances.map(({ name }) => name), scaling]).toEqual([['web.1', 'client.2', 'client.3'], null]);
    expect((await scale(run, { node, count: 2 })).json<ScaleAnswer>().instances).toEqual([]);
  });

  it('resizes only where the cloud can', async () => {
    const run = await ready();
    expect((await scale(run, { node, resize: { cpus: 2 } })).json()).toMatchObject({
      status: 400,
      detail: 'The cloud test cannot resize machines',
    });
    const sizes: object[] = [];
    server.world.cloud.connector.resize = async (id, size) => void sizes.push({ id, size });
    expect((await scale(run, { node, resize: { cpus: 2 } })).statusCode).toBe(202);
    await settle(run);
    expect(sizes).toEqual([{ id: expect.any(String), size: { cpus: 2 } }]);
  });

  it.each([{}, { add: -1 }, { add: 1, remove: 1 }, { removeIds: [] }, { resize: {} }, { add: 1.5 }])('refuses %o', async (wish) => {
    const run = await ready();
    expect((await scale(run, { node, ...wish })).statusCode).toBe(400);
  });
});

describe("SlipStream's /run/{uuid}/{node}", () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const call = async (run: JoinedRun, method: 'GET' | 'POST' | 'DELETE', body?: string, token = run.token) => {
    const payload = body === undefined ? {} : { payload: body, headers: form };
    const { statusCode, body: text } = await server.ask(method, `/run/${run.id}/${node}`, { token, ...payload });
    return [statusCode, text];
  };

  it('adds with POST, removes with DELETE, and names what there is', async () => {
    const run = await ready();
    expect(await call(run, 'GET')).toEqual([200, 'client.1']);
    expect(await call(run, 'POST', 'n=2')).toEqual([201, 'client.2,client.3']);
    expect((await call(run, 'POST', ''))[0]).toBe(409);
    await settle(run);
    expect(await call(run, 'POST', '')).toEqual([201, 'client.4']);
    await settle(run);
    expect(await call(run, 'POST', 'n=0')).toEqual([201, '']);
    expect(await call(run, 'DELETE', 'ids=1,3')).toEqual([204, '']);
    await settle(run);
    expect(await call(run, 'DELETE', 'ids=2&delete-ids-only=true')).toEqual([204, '']);
    expect((await server.engine.runDetail(run.id)).state).toBe('Ready');
    expect(await call(run, 'GET')).toEqual([200, 'client.4']);
  });

  it('say who has asked', async () => {
    const run = await ready();
    const token = await server.person('ann', 'operator', '*');
    expect((await call(run, 'POST', 'n=1', token))[0]).toBe(201);
    await settle(run);
    expect((await call(run, 'DELETE', 'ids=2', token))[0]).toBe(204);
    const events = await server.engine.store.events(run.id, 0, 1000);
    const scalings = events.filter(({ type }) => type === 'run.scaling').map(({ data }) => data);
    expect(scalings).toMatchObject([
      { action: 'vm_create', by: 'ann' },
      { action: 'vm_remove', by: 'ann' },
    ]);
  });

  it('refuses other forms, too many, unknown numbers, and machines that would scale their own run', async () => {
    const run = await ready();
    expect((await call(run, 'POST', 'x=1'))[0]).toBe(400);
    expect((await call(run, 'POST', 'n=101'))[0]).toBe(400);
    expect((await call(run, 'DELETE', ''))[0]).toBe(400);
    expect(await call(run, 'POST', 'n=1&tolerate=1')).toEqual([400, expect.stringContaining('`tolerate`')]);
    expect(await call(run, 'DELETE', 'ids=1&deleteIdsOnly=true')).toEqual([400, expect.stringContaining('`deleteIdsOnly`')]);
    expect((await call(run, 'DELETE', 'ids=7'))[0]).toBe(404);
    expect((await call(run, 'POST', 'n=1', run.keyOf('web.1')))[0]).toBe(403);
    expect((await call(run, 'DELETE', 'ids=1', run.keyOf('web.1')))[0]).toBe(403);
    expect(await call(run, 'GET')).toEqual([200, 'client.1']);
  });
});
