import { beforeEach, describe, expect, it } from 'vitest';
import { ConnectorError } from '../connector/index.ts';
import type { Engine } from '../engine/engine.ts';
import { base, begin, FakeImages, work } from '../testing/image-builds.ts';
import { newWorld, openEngine, type World } from '../testing/test-engine.ts';
import type { ListedImage } from './built-images.ts';

let world: World;
let images: FakeImages;
beforeEach(() => {
  world = newWorld();
  images = new FakeImages(world.cloud);
});

async function openWithImage(): Promise<{ engine: Engine; image: ListedImage }> {
  const engine = await openEngine(world);
  await work(world, engine, await begin(engine, base), 'Done');
  return { engine, image: await engine.images.find(images.ids[0] ?? '') };
}

describe('the deletion of a built image', () => {
  it('is no failure that brings it back when only what belongs to the image is left', async () => {
    const { engine, image } = await openWithImage();
    const { connector } = world.cloud;
    const remove = connector.remove?.bind(connector);
    connector.remove = async (...asked) => {
      await remove?.(...asked);
      throw new ConnectorError('conflict', 'its snapshot is in use');
    };
    await expect(engine.images.remove(image)).rejects.toMatchObject({
      code: 'PACELINE_CLOUD_FAILED',
      message: expect.stringMatching(/is not on test any more.*its snapshot is in use/),
      hint: expect.stringContaining('paceline reap'),
    });
    expect(await engine.images.list()).toEqual([]);
    await engine.close();
  });

  it('keeps an image whose cloud does not say whether it is there still', async () => {
    const { engine, image } = await openWithImage();
    world.cloud.connector.remove = async () => {
      world.cloud.faults.push({ method: 'list', when: 'before', error: new ConnectorError('forbidden', 'no lists for you') });
      throw new ConnectorError('timeout', 'no answer');
    };
    await expect(engine.images.remove(image)).rejects.toThrow('test does not delete ami-1: no answer');
    expect(await engine.images.list()).toMatchObject([{ image: 'ami-1' }]);
    await engine.close();
  });

  it('does not overlook a pin that was set since it was looked at, and nothing is pinned that was deleted', async () => {
    const { engine, image } = await openWithImage();
    await engine.images.pin(image, true);
    await expect(engine.images.remove(image)).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
    expect([images.ids, await engine.images.list()]).toMatchObject([['ami-1'], [{ pinned: true }]]);
    await engine.images.pin(image, false);
    await engine.images.remove(image);
    await expect(engine.images.pin(image, true)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    await engine.close();
  });

  it('takes place in the account of the image only', async () => {
    world.cloud.enter('one');
    const { engine, image } = await openWithImage();
    expect(image.account).toBe('one');
    world.cloud.enter('other');
    await expect(engine.images.remove(image)).rejects.toMatchObject({
      code: 'PACELINE_CLOUD_ACCOUNT',
      message: 'The credentials for test lead to other, and ami-1 is in one',
    });
    expect([images.ids, await engine.images.list()]).toMatchObject([['ami-1'], [{ image: 'ami-1' }]]);
    world.cloud.enter('one');
    await engine.images.remove(image);
    expect([images.ids, await engine.images.list()]).toEqual([[], []]);
    await engine.close();
  });

  it('is refused where the connector cannot, instead of forgetting what is there', async () => {
    const { engine, image } = await openWithImage();
    delete world.cloud.connector.remove;
    await expect(engine.images.remove(image)).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
    expect(await engine.images.list()).toMatchObject([{ image: 'ami-1' }]);
    await engine.close();
  });
});
