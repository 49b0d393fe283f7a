import { imageDeployment, machineNode, parseModuleReference, withDigests } from '@paceline/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModuleStore, type Publication } from '../registry/module-store.ts';
import type { Database } from '../store/database.ts';
import { migrate } from '../store/migrations.ts';
import { imageOf } from './plans.ts';

/** A publication whose content depends on the text alone. */
function publication(name: string, text: string): Publication {
  const image = imageOf({ scripts: { deploy: { path: 'deploy.sh', text: `#!/bin/sh\n# ${text}\n` } } });
  return { name, deployment: withDigests(imageDeployment(image, ['shop'])), author: 'ann', comment: text, commit: 'abc' };
}

/** What the registry of modules does on every database of the port. */
export function defineModuleContract(open: () => Promise<Database>): void {
  let database: Database;
  let modules: ModuleStore;
  beforeEach(async () => {
    database = await open();
    await migrate(database);
    modules = new ModuleStore(database);
  });
  afterEach(() => database.close());
  const ref = parseModuleReference;

  describe('published modules', () => {
    it('have versions that count up, and what is the newest is not published twice', async () => {
      expect((await modules.publish(publication('shop/web', 'one'), 1)).version).toBe(1);
      expect((await modules.publish(publication('shop/web', 'one'), 2)).version).toBe(1);
      expect((await modules.publish(publication('shop/web', 'two'), 3)).version).toBe(2);
      expect((await modules.publish(publication('shop/web', 'one'), 4)).version).toBe(3);
      expect((await modules.publish(publication('other', 'one'), 5)).version).toBe(1);
      expect((await modules.list()).map(({ name, version }) => `${name}@${version}`)).toEqual(['other@1', 'shop/web@3']);
      expect(
        (await modules.versions('shop/web')).map(({ version, comment, author, commit, tags, publishedAt }) => ({
          version,
          comment,
          author,
          commit,
          tags,
          publishedAt,
        })),
      ).toEqual([
        { version: 3, comment: 'one', author: 'ann', commit: 'abc', tags: ['shop'], publishedAt: 4 },
        { version: 2, comment: 'two', author: 'ann', commit: 'abc', tags: ['shop'], publishedAt: 3 },
        { version: 1, comment: 'one', author: 'ann', commit: 'abc', tags: ['shop'], publishedAt: 1 },
      ]);
    });

    it('are found by name, by version and by digest, whole', async () => {
      const first = publication('web', 'one');
      await modules.publish(first, 1);
      await modules.publish(publication('web', 'two'), 2);
      expect((await modules.content(ref(`web@sha256:${first.deployment.nodes[machineNode]?.image.digest}`))).deployment).toEqual(
        first.deployment,
      );
      expect((await modules.content(ref('web@1'))).deployment).toEqual(first.deployment);
      expect((await modules.find(ref('web'))).version).toBe(2);
      await expect(modules.find(ref('web@3'))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.find(ref('none'))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    });

    it('that are deprecated are found by whoever pins them only, and are taken back', async () => {
      await modules.publish(publication('web', 'one'), 1);
      await modules.publish(publication('web', 'two'), 2);
      expect((await modules.deprecate(ref('web@2'), 'it leaks')).deprecated).toBe('it leaks');
      expect((await modules.find(ref('web'))).version).toBe(1);
      expect((await modules.find(ref('web@2'))).deprecated).toBe('it leaks');
      await modules.deprecate(ref('web@2'), null);
      expect((await modules.find(ref('web'))).version).toBe(2);
      await expect(modules.deprecate(ref('web'), 'which?')).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
    });

    it('that are deleted are gone, and their numbers stay taken', async () => {
      await modules.publish(publication('web', 'one'), 1);
      await modules.publish(publication('web', 'two'), 2);
      await modules.remove(ref('web@2'));
      await expect(modules.find(ref('web@2'))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      expect((await modules.find(ref('web'))).version).toBe(1);
      expect((await modules.publish(publication('web', 'two'), 3)).version).toBe(3);
    });

    it('are copied under another name', async () => {
      await modules.publish(publication('web', 'one'), 1);
      const copy = await modules.copy(ref('web@1'), 'shop/copy', 'ben', 2);
      expect(copy).toMatchObject({ name: 'shop/copy', version: 1, author: 'ben', comment: 'Copy of web@1', commit: 'abc' });
    });

    it('get different numbers when they are published at the same moment', async () => {
      const published = await Promise.all(['a', 'b', 'c', 'd'].map((text) => modules.publish(publication('web', text), 1)));
      expect(published.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    });
  });
}
