import { expect, test, vi } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { bringUp, completeAll, newWorld, type TestAgent, type World } from '../testing/test-engine.ts';

const minuteMs = 60_000;

async function ready(): Promise<{ world: World; engine: Engine; agents: Map<string, TestAgent> }> {
  const world = newWorld();
  const { engine, id, agents } = await bringUp(world);
  await completeAll(engine, id, agents);
  await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('SendingReports'));
  await completeAll(engine, id, agents);
  await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Ready'));
  return { world, engine, agents };
}

/** Lets so many minutes pass, step by step. @returns the calls to the cloud in each */
async function callsIn(minutes: number, world: World, each: () => Promise<unknown>): Promise<number[]> {
  const counts: number[] = [];
  // On the whole minute, so that what is asked on one is in the minute that it begins.
  world.clock.pass(minuteMs - (world.clock.now() % minuteMs) - 1);
  for (let minute = 0; minute < minutes; minute++) {
    const before = world.cloud.calls.length;
    for (let second = 0; second < 60; second += 5) {
      world.clock.pass(5000);
      await each();
    }
    counts.push(world.cloud.calls.length - before);
  }
  return counts;
}

/** All that is under way comes to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

test('a run that is ready asks its cloud nothing', async () => {
  const { world, engine, agents } = await ready();
  const heartbeats = async (): Promise<void> => {
    for (const agent of agents.values()) await agent.say();
    await settled();
  };
  await heartbeats();
  expect(await callsIn(10, world, heartbeats)).toEqual(Array(10).fill(0));
  await engine.close();
});

test('a run whose agents cannot be heard asks its cloud once a minute, for all machines together', async () => {
  const { world, engine, agents } = await ready();
  // They go at different times.
  for (const agent of agents.values()) {
    agent.disconnect();
    world.clock.pass(3000);
    await settled();
  }
  await callsIn(2, world, settled);
  expect(await callsIn(10, world, settled)).toEqual(Array(10).fill(1));
  expect(new Set(world.cloud.calls.slice(-10))).toEqual(new Set(['describe']));
  await engine.close();
});
