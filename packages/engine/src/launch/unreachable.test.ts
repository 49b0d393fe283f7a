import { describe, expect, it, vi } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import { nodeOf, planOf } from '../testing/plans.ts';
import { newWorld, openEngine, startRun, type World } from '../testing/test-engine.ts';
import type { Fault } from '../testing/fake-cloud.ts';

/** A cloud that has been switched off: nothing that is said to it has any effect. */
function switchOff({ cloud }: World, untouched: boolean): void {
  const error = new ConnectorError('unavailable', 'connect ECONNREFUSED', { hint: 'Is it running?', ...(untouched && { untouched }) });
  const faults = (method: Fault['method']): Fault[] => Array.from({ length: 200 }, () => ({ method, when: 'before', error }));
  cloud.faults.push(...faults('launch'), ...faults('list'), ...faults('terminate'));
  cloud.connector.probe = () => Promise.reject(error);
}

describe('a cloud that cannot be reached', () => {
  it('is spoken of in the run, once for each reason', async () => {
    const world = newWorld();
    switchOff(world, false);
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 3 }) }));
    const engine = await openEngine(world);
    const words = async (): Promise<string[]> =>
      (await engine.store.events(id, 0, 1000)).filter(({ type }) => type === 'cloud.failing').map(({ message }) => message);
    await vi.waitFor(async () => {
      world.clock.pass(1000);
      expect(await words()).not.toEqual([]);
    });
    for (let i = 0; i < 30; i++) {
      world.clock.pass(10_000);
      await new Promise(setImmediate);
    }
    expect(await words()).toEqual(['test does not launch machines: connect ECONNREFUSED (Is it running?). It is tried again.']);
  });

  it('keeps no run that is ended before a launch has reached it', async () => {
    const world = newWorld();
    switchOff(world, true);
    const id = await startRun(world, planOf({ n: nodeOf({ multiplicity: 3 }) }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.calls).toContain('launch'));
    await engine.findActive(id)?.terminate('a user');
    await vi.waitFor(async () => expect((await engine.runDetail(id)).state).toBe('Cancelled'));
    expect(world.cloud.calls).not.toContain('list');
  });

  it('has to answer before a run is over of which it may have heard', async () => {
    const world = newWorld();
    switchOff(world, false);
    const id = await startRun(world, planOf({ n: nodeOf() }));
    const engine = await openEngine(world);
    await vi.waitFor(() => expect(world.cloud.calls).toContain('launch'));
    await engine.findActive(id)?.terminate('a user');
    for (let i = 0; i < 10; i++) {
      world.clock.pass(60_000);
      await new Promise(setImmediate);
    }
    expect((await engine.runDetail(id)).state).toBe('Finalizing');
    world.cloud.faults.length = 0;
    world.cloud.connector.probe = () => Promise.resolve({ account: 'test', regions: [] });
    await vi.waitFor(async () => {
      world.clock.pass(60_000);
      expect((await engine.runDetail(id)).state).toBe('Cancelled');
    });
  });
});
