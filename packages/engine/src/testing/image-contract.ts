import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageStore, type BuiltImage } from '../images/image-store.ts';
import { createRun } from '../run/create.ts';
import type { Database } from '../store/database.ts';
import { migrate } from '../store/migrations.ts';
import { RunStore } from '../store/run-store.ts';
import { createCipher } from '../store/value-cipher.ts';
import { nodeOf, planOf } from './plans.ts';

function built(cloud: string, digest: string, madeAt: number): BuiltImage {
  const image = `paceline-${digest}`;
  return {
    project: '*',
    cloud,
    account: null,
    digest,
    recipe: `recipe of ${digest}`,
    module: 'web',
    image,
    resource: `id of ${image}`,
    login: null,
    run: 'run-1',
    madeAt,
    usedAt: madeAt,
    pinned: false,
    lostAt: null,
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

    it('are booted as they were made last by a recipe, whatever it stood on', async () => {
      const [old, young] = [built('here', 'a', 1), { ...built('here', 'b', 2), recipe: 'recipe of a' }];
      await images.put(young);
      await images.put(old);
      const newest = () => images.newest({ project: 'shop', cloud: 'here', recipe: 'recipe of a' });
      expect(await newest()).toEqual(young);
      expect(await images.newest({ project: 'shop', cloud: 'there', recipe: 'recipe of a' })).toBeUndefined();
      await images.remove(young);
      expect(await newest()).toEqual(old);
    });

    it('are not found any more once they were lost, until there is one again', async () => {
      const one = built('here', 'a', 1);
      await images.put(one);
      await images.pin(one, true);
      await images.lost({ ...one, image: 'another' }, 6);
      expect(await images.find(one)).toEqual({ ...one, pinned: true });
      for (const now of [7, 8]) await images.lost(one, now);
      expect([await images.find(one), await images.newest(one)]).toEqual([undefined, undefined]);
      expect(await images.list()).toEqual([{ ...one, pinned: true, lostAt: 7 }]);
      const again = { ...built('here', 'a', 9), image: 'again', resource: 'id of again', run: 'run-2' };
      await images.put(again);
      expect(await images.list()).toEqual([{ ...again, pinned: true }]);
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
      expect([await images.remove(one), await images.remove(one), await images.pin(one, true)]).toEqual([true, false, false]);
      expect(await images.list()).toEqual([other]);
    });

    it('are not removed while they are pinned, and not instead of another one with the same in it', async () => {
      const one = { ...built('here', 'a', 1), account: 'one of two' };
      await images.put(one);
      await images.pin(one, true);
      expect(await images.remove(one)).toBe(false);
      await images.pin(one, false);
      expect(await images.remove({ ...one, resource: 'another' })).toBe(false);
      expect(await images.list()).toEqual([one]);
      expect(await images.remove(one)).toBe(true);
    });

    it('are there for every run that is stored with them, though they are deleted at that moment', async () => {
      const store = await RunStore.open(database, createCipher(Buffer.alloc(32, 1)));
      for (let round = 0; round < 20; round++) {
        const image = built('test', `digest ${round}`, 1);
        await store.images.put(image);
        const node = nodeOf({ built: { image: image.image, digest: image.digest, layers: 1 } });
        const id = `00000000-0000-4000-8000-${String(round).padStart(12, '0')}`;
        const run = createRun({ id, name: 'test', plan: planOf({ a: node, b: node }), by: 'tester', tags: [], now: 5 });
        const remove = async (): Promise<boolean> => {
          await store.images.remove(image);
          return (await store.activePlans()).some(({ plan }) => plan.nodes['a']?.built?.image === image.image);
        };
        // Whoever deletes it finds the run that boots it, or there is none.
        const [stored, found] = await Promise.all([store.insertRun(run, 'me'), remove()]);
        expect(Object.values(stored.plan.nodes).map((planned) => planned.built !== undefined)).toEqual([found, found]);
        expect((await store.run(id))?.plan).toEqual(stored.plan);
      }
    });

    it('that were made when they were everybody’s are so still', async () => {
      const old = await open();
      await migrate(old, 5);
      const { project: _project, account, recipe: _recipe, ...image } = built('here', 'a', 1_900_000_000_000);
      const columns = 'cloud, digest, module, image, resource, login, run, made_at, used_at, pinned';
      const { cloud, digest, module, image: name, resource, login, run, madeAt, usedAt } = image;
      const values = [cloud, digest, module, name, resource, login, run, madeAt, usedAt, 1];
      await old.transaction([{ sql: `INSERT INTO images (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, values }]);
      await migrate(old);
      expect(await new ImageStore(old).list()).toEqual([{ ...image, project: '*', account, recipe: digest, pinned: true }]);
      await old.close();
    });
  });
}
