import type { OpResult } from '@paceline/api/agent';
import { describe, expect, it, vi } from 'vitest';
import { LogBook } from '../agents/log-book.ts';
import { abortReserve, mostTold } from '../agents/event-bound.ts';
import { nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { bringUp, joinFromUserData, newWorld, openEngine, TestAgent, type World } from '../testing/test-engine.ts';

const mebibyte = 'x'.repeat(1024 * 1024);
const tooLarge = { code: 'PACELINE_TOO_LARGE' };

async function longest(world: World, sql: string): Promise<number> {
  return Number((await world.database.all(`SELECT MAX(LENGTH(${sql}`, []))[0]?.['n']);
}

/** A machine of a run that is up, and what it says. */
async function machineOf(world: World): Promise<TestAgent> {
  const { agents } = await bringUp(world);
  const agent = agents.get('apache.1');
  if (agent === undefined) throw new Error('apache.1 has not joined');
  return agent;
}

describe('a machine that gives a very long reason for an abort', () => {
  const reason = { op: 'set', key: 'apache.1:abort', value: mebibyte, secret: false, ignoreAbort: true } as const;

  it('has little of it stored, and does not stop the engine with what is refused to it then', async () => {
    const world = newWorld();
    const agent = await machineOf(world);
    await agent.say(reason);
    expect(await longest(world, 'facts)) AS n FROM runs')).toBeLessThan(32 * 1024);
    expect(await longest(world, 'body)) AS n FROM events')).toBeLessThan(32 * 1024);
    const refused = Array.from({ length: 600 }, (_, index) => {
      return { op: 'set', id: 1000 + index, key: 'apache.1:ready', value: '1', secret: false, ignoreAbort: false } as const;
    });
    await expect(agent.say(...refused)).rejects.toMatchObject(tooLarge);
    expect(await longest(world, 'data)) AS n FROM instances')).toBeLessThan(512 * 1024);
    // It is carried out piece by piece, and a piece whose answer was lost is answered as before.
    const results: OpResult[] = [];
    for (let from = 0; from < refused.length; from += 100) {
      const piece = refused.slice(from, from + 100);
      const answer = await agent.say(...piece);
      expect(await agent.say(...piece)).toEqual(answer);
      results.push(...answer);
    }
    expect(results).toHaveLength(600);
    for (const result of results) expect(result).toMatchObject({ status: 'error', code: 'PACELINE_RUN_ABORTED' });
    expect(JSON.stringify(results[0]).length).toBeLessThan(1500);
    expect(await longest(world, 'data)) AS n FROM instances')).toBeLessThan(512 * 1024);
  });
});

describe('questions whose answers are too long together', () => {
  const get = { op: 'get', key: 'testclient.1:webserver.ready', wait: false, ignoreAbort: true } as const;

  it('are refused, whosever the values are, and answered in pieces', async () => {
    const { agents } = await bringUp(newWorld());
    const client = agents.get('testclient.1');
    await agents.get('apache.1')?.say({ op: 'set', key: 'apache.1:ready', value: mebibyte, secret: false, ignoreAbort: true });
    await expect(client?.say(...Array.from({ length: 60 }, () => get))).rejects.toMatchObject(tooLarge);
    await expect(client?.say({ op: 'cancelAbort', id: 1 }, ...Array.from({ length: 8 }, () => get))).rejects.toMatchObject(tooLarge);
    expect(await client?.say({ op: 'cancelAbort', id: 1 }, get, get)).toMatchObject([
      { status: 'ok' },
      { value: mebibyte },
      { value: mebibyte },
    ]);
  });

  it('are refused when they are about one parameter of all members of a node', async () => {
    const parameters = { out: parameterOf({ output: true }) };
    const { agents } = await bringUp(newWorld(), planOf({ a: nodeOf({ multiplicity: 7, parameters }) }));
    const asker = agents.get('a.1');
    const getAll = { op: 'getAll', node: 'a', name: 'out', wait: true, ignoreAbort: true } as const;
    expect(await asker?.say(getAll)).toEqual([{ status: 'unset' }]);
    for (const [name, agent] of agents)
      await agent.say({ op: 'set', key: `${name}:out`, value: mebibyte, secret: false, ignoreAbort: true });
    const refused = { code: 'PACELINE_TOO_LARGE', message: 'The values of a.*:out are too long together' };
    await vi.waitFor(() => expect(asker?.events.at(-1)).toMatchObject({ event: 'refused', data: { node: 'a', name: 'out', ...refused } }));
    expect(await asker?.say(getAll)).toMatchObject([refused]);
    await asker?.say({ op: 'unset', key: 'a.1:out', ignoreAbort: true });
    expect(await asker?.say({ ...getAll, wait: false })).toMatchObject([{ status: 'values', unset: ['1'] }]);
  });
});

describe('a machine that talks without end', () => {
  it('makes no more events, whatever it says and through which door, also after a restart', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world);
    const active = await engine.activeRun(id);
    const told = mostTold + abortReserve - 1000;
    await active.decide(() => [{ kind: 'instance', name: 'apache.1', patch: { told } }]);
    const events = async () => Number((await world.database.all('SELECT COUNT(*) AS n FROM events', []))[0]?.['n']);
    const before = await events();
    await agents.get('apache.1')?.say({ op: 'abort', reason: 'x'.repeat(8000) });
    expect(await events()).toBe(before + 1);
    await engine.close();
    const second = await openEngine(world);
    const again = new TestAgent(second, 'key-apache.1').connect();
    const run = second.findActive(id);
    for (let turn = 0; turn < 5; turn += 1) {
      const reply = await again.say(
        { op: 'cancelAbort' },
        { op: 'set', key: 'apache.1:ready', value: String(turn), secret: false, ignoreAbort: true },
        { op: 'notice', severity: 'info', message: 'hello' },
        { op: 'get', key: 'no.such.key', wait: false, ignoreAbort: true },
      );
      expect(reply.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'error']);
      await run?.write('apache.1:ready', 'x', false, { instance: 'apache.1' });
      await expect(run?.write('no.such.key', 'x', false, { instance: 'apache.1' })).rejects.toMatchObject({ status: 404 });
    }
    expect(await events()).toBe(before + 1);
    expect((await second.runDetail(id)).abort).not.toBeNull();
    await run?.write('apache.1:ready', 'y', false, { by: 'a user' });
    expect(await events()).toBe(before + 2);
  });

  it('raises so many alarms, when it tries to join as another', async () => {
    const world = newWorld();
    const { engine, id } = await bringUp(world);
    const [machine] = world.cloud.machines.values();
    const join = () => joinFromUserData(engine, machine?.userData ?? '', 'another key');
    for (let turn = 0; turn < 120; turn += 1) await expect(join()).rejects.toMatchObject({ code: 'PACELINE_JOIN_REFUSED' });
    const alarms = (await engine.store.events(id, 0, 1000)).filter(({ type }) => type === 'security.alarm');
    expect(alarms).toHaveLength(100);
    expect(alarms.at(-1)?.message).toContain('the last that is told');
  });
});

describe('a machine that prints more than it says', () => {
  it('has no more of it stored when the engine starts again', async () => {
    const { agents, engine, id } = await bringUp(newWorld());
    const text = 'x'.repeat(100_000);
    const print = (offset: number) => ({ op: 'log', source: 's', stream: 'stdout', offset, bytes: 1, text, at: '' }) as const;
    await agents.get('apache.1')?.say(print(0), print(1), print(2));
    expect(await engine.store.logEnds(id)).toEqual([
      { instance: 'apache.1', source: 's', end: 3, lastSeq: 3, pieces: 3, size: 3 * text.length },
    ]);
    expect((await LogBook.open(engine.store, id, 3 * text.length)).accept('apache.1', print(3), 0)).toBeUndefined();
    expect((await LogBook.open(engine.store, id, 4 * text.length)).accept('apache.1', print(3), 0)).toBeDefined();
  });
});
