import { PacelineError } from '@paceline/model';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { base, begin, FakeImages, work } from '../testing/image-builds.ts';
import { freeze, newWorld, openEngine, type World } from '../testing/test-engine.ts';

let world: World;
let images: FakeImages;
beforeEach(() => {
  world = newWorld();
  images = new FakeImages(world.cloud);
});

async function ends(engine: Engine, run: string, state: string): Promise<void> {
  await vi.waitFor(async () => {
    world.clock.pass(3000);
    expect((await engine.runDetail(run)).state).toBe(state);
  }, 5000);
}

/** Lets a transaction fail, the first one being number 1, of those that are begun from now on. */
function failOne(number: number): void {
  const { database } = world;
  const transaction = database.transaction.bind(database);
  let begun = 0;
  database.transaction = async (...args) => {
    if (++begun === number) throw new PacelineError('PACELINE_STORE_FAILED', 'no room on the disk');
    return transaction(...args);
  };
}

describe('an image that is not whole, or that nobody was told of', () => {
  it.each([1, 2, 3])('is not what the store names when commit %i after it was made fails', async (number) => {
    images.whole = vi.fn<() => Promise<void>>(async () => {}).mockImplementationOnce(async () => failOne(number));
    const engine = await openEngine(world);
    const run = await begin(engine, base);
    await Promise.all([work(world, engine, run, 'Done'), ends(engine, run, 'Done')]);
    expect((await engine.images.list()).map(({ image, resource }) => [image, resource])).toEqual([[images.ids[0], images.ids[0]]]);
    expect(images.ids).toHaveLength(1);
    expect((await engine.reap(true)).orphans).toEqual([]);
    await engine.close();
  });

  it('is not stored by an engine whose run another one has taken', async () => {
    const whole = Promise.withResolvers<void>();
    images.whole = vi.fn<() => Promise<void>>(async () => {}).mockReturnValueOnce(whole.promise);
    const first = await openEngine(world);
    const run = await begin(first, base);
    await work(world, first, run, 'Ready');
    await vi.waitFor(() => expect(images.ids).toHaveLength(1));
    freeze(first, 'asleep');
    const second = await openEngine(world);
    whole.resolve();
    await ends(second, run, 'Done');
    expect((await second.images.list()).map(({ resource }) => resource)).toEqual(images.ids);
    await second.close();
  });

  it('goes with a run that is ended while its cloud makes it', async () => {
    images.whole = () => new Promise(() => {});
    const engine = await openEngine(world);
    const run = await begin(engine, base);
    await work(world, engine, run, 'Ready');
    await vi.waitFor(() => expect(images.ids).toHaveLength(1));
    await engine.terminate(run, 'tester');
    await ends(engine, run, 'Cancelled');
    expect([images.ids, await engine.images.list(), world.cloud.machines.size]).toEqual([[], [], 0]);
    await engine.close();
  });

  it('is no good end of a run whose lifetime is over', async () => {
    images.whole = () => new Promise(() => {});
    const engine = await openEngine(world);
    const run = await begin(engine, base);
    await work(world, engine, run, 'Ready');
    world.clock.pass((await engine.run(run)).plan.lifetimeMs);
    await ends(engine, run, 'Aborted');
    expect((await engine.runDetail(run)).abort?.reason).toContain('the end of its lifetime');
    expect([images.ids, await engine.images.list()]).toEqual([[], []]);
    await engine.close();
  });

  it('goes also when it became whole after the end of its run was decided', async () => {
    const whole = Promise.withResolvers<void>();
    images.whole = () => whole.promise;
    const { connector } = world.cloud;
    const terminate = connector.terminate.bind(connector);
    connector.terminate = async (...asked) => {
      whole.resolve();
      return terminate(...asked);
    };
    const engine = await openEngine(world);
    const run = await begin(engine, base);
    await work(world, engine, run, 'Ready');
    await vi.waitFor(() => expect(images.ids).toHaveLength(1));
    await engine.terminate(run, 'tester');
    await ends(engine, run, 'Cancelled');
    expect([images.ids, await engine.images.list()]).toEqual([[], []]);
    await engine.close();
  });

  it('is waited for while its run lasts, however large it is', async () => {
    const whole = Promise.withResolvers<void>();
    images.whole = () => whole.promise;
    const engine = await openEngine(world);
    const run = await begin(engine, base);
    await work(world, engine, run, 'Ready');
    await vi.waitFor(() => expect(images.ids).toHaveLength(1));
    const { lifetimeMs } = (await engine.run(run)).plan;
    for (let passed = 0; passed < lifetimeMs - 600_000; passed += 300_000) world.clock.pass(300_000);
    whole.resolve();
    await ends(engine, run, 'Done');
    expect((await engine.images.list()).map(({ image }) => image)).toEqual(['ami-1']);
    await engine.close();
  });

  it('stays when its run has come to its end well', async () => {
    const engine = await openEngine(world);
    const run = await begin(engine, base);
    await work(world, engine, run, 'Done');
    expect((await engine.images.list()).map(({ resource }) => resource)).toEqual(images.ids);
    expect(images.ids).toHaveLength(1);
    await engine.close();
  });
});
