import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageStore, type BuiltImage } from '../images/image-store.ts';
import type { Database } from '../store/database.ts';
import { migrate } from '../store/migrations.ts';

function built(cloud: string, digest: string, madeAt: number): BuiltImage {
  const image = `paceline-${digest}`;
  return {
    project: '*',
    cloud,
    digest,
    module: 'web',
    image,
    resource: `id of ${image}`,
    login: null,
    run: 'run-1',
    madeAt,
    usedAt: madeAt,
    pinned: false,
  };
}

/** What the list of built images does on every database of the port. */
export function defineImageContract(open: () => Promise<Database>): void {
  let database: Database;
  let images: ImageStore;
  beforeEach(async () => {
    database = await open();
    await migrate(database);
    images = new ImageStore(database);
  });
  afterEach(() => database.close());

  describe('built images', () => {
    it('are found by what is in them, on their cloud only', async () => {
      const [here, there] = [built('here', 'a', 1), { ...built('there', 'a', 2), login: 'admin' }];
      await images.put(here);
      await images.put(there);
      expect(await images.find({ project: 'shop', cloud: 'here', digest: 'a' })).toEqual(here);
      expect(await images.find({ project: 'shop', cloud: 'there', digest: 'a' })).toEqual(there);
      expect(await images.find({ project: 'shop', cloud: 'here', digest: 'b' })).toBeUndefined();
      expect(await images.list()).toEqual([there, here]);
    });

    it('are everybody’s, or of one project, whose machines boot what is everybody’s first', async () => {
      const [all, own] = [built('here', 'a', 1), { ...built('here', 'a', 2), project: 'shop', image: 'own' }];
      await images.put(own);
      expect(await images.find({ project: 'shop', cloud: 'here', digest: 'a' })).toEqual(own);
      for (const project of ['*', 'lab']) expect(await images.find({ project, cloud: 'here', digest: 'a' })).toBeUndefined();
      await images.put(all);
      for (const project of ['*', 'lab', 'shop']) expect(await images.find({ project, cloud: 'here', digest: 'a' })).toEqual(all);
      await images.pin(own, true);
      await images.remove(all);
      expect(await images.list()).toEqual([{ ...own, pinned: true }]);
    });

    it('stay as the first has made them, also when two have finished at the same moment', async () => {
      await images.put(built('here', 'a', 1));
      await Promise.all([images.put({ ...built('here', 'a', 2), image: 'other' }), images.put(built('here', 'a', 3))]);
      expect(await images.list()).toEqual([built('here', 'a', 1)]);
    });

    it('are used, pinned and let go, each by itself', async () => {
      const [one, other] = [built('here', 'a', 1), built('here', 'b', 2)];
      await images.put(one);
      await images.put(other);
      // Milliseconds since the epoch are more than 32 bits hold.
      const now = 1_900_000_000_000;
      await images.touch(one, now);
      await images.pin(one, true);
      expect(await images.find({ project: 'shop', cloud: 'here', digest: 'a' })).toEqual({ ...one, usedAt: now, pinned: true });
      expect(await images.find({ project: 'shop', cloud: 'here', digest: 'b' })).toEqual(other);
      await images.pin(one, false);
      expect((await images.find({ project: 'shop', cloud: 'here', digest: 'a' }))?.pinned).toBe(false);
      await images.remove(one);
      await images.remove(one);
      expect(await images.list()).toEqual([other]);
    });
  });
}
