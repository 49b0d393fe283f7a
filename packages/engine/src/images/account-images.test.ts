import { beforeEach, describe, expect, it } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import type { Engine } from '../engine/engine.ts';
import { app, base, begin, FakeImages, work } from '../testing/image-builds.ts';
import { newWorld, openEngine, type World } from '../testing/test-engine.ts';

let world: World;
let images: FakeImages;
beforeEach(() => {
  world = newWorld();
  images = new FakeImages(world.cloud);
  world.cloud.enter('one');
});

async function openWithImage(): Promise<Engine> {
  const engine = await openEngine(world);
  await work(world, engine, await begin(engine, base), 'Done');
  return engine;
}

async function booted(engine: Engine): Promise<string | undefined> {
  const { run } = await engine.createRun({ deployment: app }, 'tester');
  const { built } = (await engine.run(run.id)).plan.nodes['machine'] ?? {};
  await engine.terminate(run.id, 'tester');
  return built?.image;
}

describe('an image that was built in one account', () => {
  it('is neither booted nor taken for built in another one', async () => {
    const engine = await openWithImage();
    expect(await booted(engine)).toBe('ami-1');
    world.cloud.enter('other');
    expect(await booted(engine)).toBeUndefined();
    await work(world, engine, await begin(engine, base), 'Done');
    expect(await booted(engine)).toBe('ami-2');
    world.cloud.enter('one');
    expect(await booted(engine)).toBe('ami-1');
    expect(await engine.images.build({ deployment: base }, 'tester')).toMatchObject({ image: { image: 'ami-1', account: 'one' } });
    await engine.close();
  });

  it('is what the channels of its module boot, whichever account the credentials lead to', async () => {
    const engine = await openWithImage();
    await engine.store.modules.publish({ name: 'shop/base', deployment: base, author: 'ann', comment: '', commit: '' }, 1);
    world.cloud.enter('other');
    await engine.images.promote(await engine.images.find('ami-1'), 'stable');
    await work(world, engine, await begin(engine, base), 'Done');
    const channels = ['shop/base@stable'];
    expect(await engine.images.list()).toMatchObject([{ channels }, { channels }]);
    await engine.close();
  });

  it('is not booted, and nothing is built, while the cloud does not say which account it is', async () => {
    const engine = await openWithImage();
    world.cloud.connector.account = async () => {
      throw new ConnectorError('unavailable', 'come back later');
    };
    expect(await booted(engine)).toBeUndefined();
    expect(world.warnings).toContainEqual(expect.stringContaining('machine boots no built image, as test does not say'));
    await expect(engine.images.build({ deployment: base }, 'tester')).rejects.toMatchObject({
      code: 'PACELINE_CLOUD_FAILED',
      message: 'test does not say in which account it would build: come back later',
    });
    expect(images.ids).toEqual(['ami-1']);
    await engine.close();
  });

  it('is kept for a module that stands on it, also when only one project boots it', async () => {
    const engine = await openEngine(world);
    const answer = await engine.images.build({ deployment: base, project: 'shop' }, 'tester');
    await work(world, engine, 'run' in answer ? answer.run.id : '', 'Done');
    await engine.store.modules.publish({ name: 'shop/app', deployment: app, author: 'ann', comment: '', commit: '' }, 1);
    await engine.store.modules.promote({ name: 'shop/app', version: 1 }, 'stable');
    expect(await engine.images.list()).toMatchObject([{ project: 'shop', channels: ['shop/app@stable'] }]);
    await engine.close();
  });
});
