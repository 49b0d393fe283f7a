import { describe, expect, it, vi } from 'vitest';
import { nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { bringUp, newWorld, type TestAgent, type World } from '../testing/test-engine.ts';

/** Two nodes of which each needs what the other one has to set. */
const crossed = (onStall: 'abort' | 'wait' = 'abort') =>
  planOf(
    {
      a: nodeOf({ parameters: { out: parameterOf({ output: true }), in: parameterOf({ from: 'b.1:out' }) } }),
      b: nodeOf({ multiplicity: 2, parameters: { out: parameterOf({ output: true }), in: parameterOf({ from: 'a.1:out' }) } }),
    },
    { onStall },
  );

const get = (key: string) => ({ op: 'get', key, wait: true, ignoreAbort: false }) as const;

type Finding = 'alone' | 'accompanied' | 'busy';

/** Lets time pass; every agent that is asked says what it finds. */
async function pass(world: World, ms: number, agents: Map<string, TestAgent>, finding: Finding | Record<string, Finding>): Promise<void> {
  const answered = new Map([...agents].map(([name, { events }]) => [name, events.length]));
  for (let passed = 0; passed < ms; passed += 500) {
    world.clock.pass(500);
    for (const [name, agent] of agents) {
      const asked = agent.events.slice(answered.get(name)).some(({ event }) => event === 'examine');
      answered.set(name, agent.events.length);
      const found = typeof finding === 'string' ? finding : (finding[name] ?? 'alone');
      await agent.say(...(asked ? [{ op: 'examined', finding: found } as const] : []));
    }
  }
}

describe('a run in which everybody waits', () => {
  it('ends at once, and says who waits for whom', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    await agents.get('a.1')?.say(get('a.1:in'));
    await agents.get('b.1')?.say(get('b.1:in'));
    await pass(world, 5000, agents, 'alone');
    expect((await engine.runDetail(id)).abort).toBeNull();
    await agents.get('b.2')?.say(get('b.2:in'));
    await pass(world, 5000, agents, 'alone');
    expect((await engine.runDetail(id)).abort).toMatchObject({
      source: 'ss:abort',
      reason:
        'The run cannot go on: every machine that still has work waits for a value that nobody will set: ' +
        'a.1 waits for a.1:in, which b.1 has to set while it waits itself; b.1 waits for b.1:in, which a.1 has to set while it waits itself; ' +
        'b.2 waits for b.2:in, which a.1 has to set while it waits itself',
    });
  });

  it('is asked anew when the abort is taken back', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    const isAborted = async (): Promise<boolean> => (await engine.runDetail(id)).abort !== null;
    for (const [name, agent] of agents) await agent.say(get(`${name}:in`));
    while (!(await isAborted())) await pass(world, 500, agents, 'alone');
    await (await engine.activeRun(id)).cancelAbort('a user');
    // Who has something to say is not therefore asked what goes on in it.
    await agents.get('a.1')?.say({ op: 'unwait', key: 'a.1:nothing' });
    await pass(world, 5000, new Map(), 'alone');
    expect(await isAborted()).toBe(false);
    for (const agent of agents.values()) await agent.say({ op: 'examined', finding: 'alone' });
    await pass(world, 5000, agents, 'alone');
    expect(await isAborted()).toBe(true);
  });

  it('names the machine whose work is done although it did not set a value', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    const { seq } = (await engine.activeRun(id)).run.facts;
    await agents.get('a.1')?.say({ op: 'complete', seq });
    await agents.get('b.1')?.say(get('b.1:in'));
    await agents.get('b.2')?.say({ op: 'getAll', node: 'a', name: 'out', wait: true, ignoreAbort: false });
    await pass(world, 5000, agents, 'alone');
    expect((await engine.runDetail(id)).abort?.reason).toMatch(
      /b\.1 waits for b\.1:in, which a\.1 did not set before its work was done; b\.2 waits for a\.\*:out, which a\.1 did not set/,
    );
  });

  it('gets more time while other processes are there, and all the time while something ends by itself', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    for (const [name, agent] of agents) await agent.say(get(`${name}:in`));
    await pass(world, 90_000, agents, 'busy');
    await pass(world, 90_000, agents, 'accompanied');
    expect((await engine.runDetail(id)).abort).toBeNull();
    // Output is a sign of life.
    await agents.get('a.1')?.say({ op: 'log', source: 'deploy-0', stream: 'stdout', offset: 0, bytes: 2, text: 'x\n', at: '' });
    await pass(world, 100_000, agents, 'accompanied');
    expect((await engine.runDetail(id)).abort).toBeNull();
    await pass(world, 60_000, agents, 'accompanied');
    expect((await engine.runDetail(id)).abort?.reason).toMatch(/^The run cannot go on/);
  });

  it('goes on when the value comes after all, or when it says so itself', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    for (const [name, agent] of agents) await agent.say(get(`${name}:in`));
    await pass(world, 1000, agents, 'alone');
    await engine.findActive(id)?.write('b.1:out', 'from outside', false);
    await pass(world, 5000, agents, 'alone');
    expect((await engine.runDetail(id)).abort).toBeNull();

    const patient = newWorld();
    const other = await bringUp(patient, crossed('wait'));
    for (const [name, agent] of other.agents) await agent.say(get(`${name}:in`));
    await pass(patient, 300_000, other.agents, 'alone');
    expect((await other.engine.runDetail(other.id)).abort).toBeNull();
  });

  it.each(['its own', 'a global'])('is none while what a machine whose work is done has left behind may set %s value', async (which) => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, { ...crossed(), globals: { gate: parameterOf({ output: true }) } });
    const { seq } = (await engine.activeRun(id)).run.facts;
    await agents.get('a.1')?.say({ op: 'complete', seq });
    await agents.get('b.1')?.say(get(which === 'its own' ? 'b.1:in' : 'ss:gate'));
    await agents.get('b.2')?.say(get('b.1:out'));
    const answers = { 'a.1': 'busy', 'b.1': 'alone', 'b.2': 'alone' } as const;
    await pass(world, 60_000, agents, answers);
    expect((await engine.runDetail(id)).abort).toBeNull();
    expect(agents.get('a.1')?.events.some(({ event }) => event === 'examine')).toBe(true);
  });

  it('is none while the agent of such a machine is away, as after a restart of the engine', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    const { seq } = (await engine.activeRun(id)).run.facts;
    const done = agents.get('a.1');
    await done?.say({ op: 'complete', seq });
    for (const name of ['b.1', 'b.2']) await agents.get(name)?.say(get(`${name}:in`));
    done?.disconnect();
    const others = new Map([...agents].filter(([name]) => name !== 'a.1'));
    await pass(world, 60_000, others, 'alone');
    expect((await engine.runDetail(id)).abort).toBeNull();
    await done?.connect().session;
    await pass(world, 5000, agents, 'alone');
    expect((await engine.runDetail(id)).abort?.reason).toMatch(/^The run cannot go on/);
  });

  it('is asked afresh before it is ended', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    for (const [name, agent] of agents) await agent.say(get(`${name}:in`));
    await pass(world, 110_000, agents, 'accompanied');
    await pass(world, 60_000, agents, 'busy');
    expect((await engine.runDetail(id)).abort).toBeNull();
  });

  it('is noticed also when an agent comes back in the middle of it', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    for (const [name, agent] of agents) await agent.say(get(`${name}:in`));
    const answering = new Map([...agents].filter(([name]) => name !== 'b.2'));
    await pass(world, 1500, answering, 'alone');
    const back = agents.get('b.2');
    await back?.connect().session;
    await back?.say(get('b.2:in'));
    await pass(world, 10_000, agents, 'alone');
    expect((await engine.runDetail(id)).abort?.reason).toMatch(/^The run cannot go on/);
  });

  it('is not one in which an agent is away or does not answer', async () => {
    const world = newWorld();
    const { agents, engine, id } = await bringUp(world, crossed());
    for (const [name, agent] of agents) await agent.say(get(`${name}:in`));
    const silent = new Map([...agents].filter(([name]) => name !== 'b.2'));
    await vi.waitFor(() => expect(silent.size).toBe(2));
    await pass(world, 20_000, silent, 'alone');
    expect((await engine.runDetail(id)).abort).toBeNull();
  });
});
