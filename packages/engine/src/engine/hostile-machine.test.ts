import type { OpResult } from '@paceline/api/agent';
import { describe, expect, it } from 'vitest';
import { bringUp, newWorld, type TestAgent, type World } from '../testing/test-engine.ts';

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
