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

    it('are new ones, too, when only what people read has changed, but not for another comment or commit alone', async () => {
      const one = publication('web', 'one');
      await modules.publish(one, 1);
      const image = one.deployment.nodes[machineNode]?.image;
      const texts = [{ title: 'A title' }, { description: 'About it' }, { tags: ['other'] }];
      const parameters = { port: { type: 'string', description: 'Where it listens' } } as const;
      for (const [at, text] of [...texts, { parameters }].entries()) {
        const changed = { ...one, deployment: withDigests({ ...one.deployment, ...text }) };
        expect(await modules.publish(changed, 2), JSON.stringify(text)).toMatchObject({ version: at + 2, digest: image?.digest });
        const again = await modules.publish({ ...changed, comment: 'other', commit: 'def' }, 3);
        expect(again).toMatchObject({ version: at + 2, comment: 'one', commit: 'abc' });
      }
      expect((await modules.list())[0]).toMatchObject({ version: 5, tags: ['shop'] });
      expect((await modules.versions('web')).map(({ title, description }) => [title, description])).toContainEqual(['A title', '']);
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
      await modules.deprecate(ref('web@1'), 'old');
      await expect(modules.find(ref('web'))).rejects.toMatchObject({
        code: 'PACELINE_NOT_FOUND',
        message: 'Every version of web is deprecated',
        hint: expect.stringContaining('web@2'),
      });
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

    it('are found by a channel from when they are promoted to it, and stay until another is, or the channel is ended', async () => {
      for (const text of ['one', 'two', 'three']) await modules.publish(publication('web', text), 1);
      await modules.publish(publication('other', 'one'), 1);
      await expect(modules.find(ref('web@stable'))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.promote(ref('web@9'), 'stable')).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.promote(ref('web'), 'stable')).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
      expect(await modules.promote(ref('web@1'), 'stable')).toMatchObject({ version: 1, channels: ['stable'] });
      await modules.promote(ref('web@2'), 'beta');
      expect(await modules.promote(ref('web@beta'), 'stable')).toMatchObject({ version: 2, channels: ['beta', 'stable'] });
      expect((await modules.content(ref('web@stable'))).module.version).toBe(2);
      expect((await modules.find(ref('web'))).version).toBe(3);
      expect((await modules.versions('web')).map(({ channels }) => channels)).toEqual([[], ['beta', 'stable'], []]);
      expect((await modules.promoted()).map(({ name, version }) => `${name}@${version}`)).toEqual(['web@2']);
      await expect(modules.remove(ref('web@2'))).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
      await modules.demote('web', 'stable');
      await expect(modules.find(ref('web@stable'))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.demote('web', 'stable')).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await modules.promote(ref('web@1'), 'beta');
      await modules.remove(ref('web@2'));
      await expect(modules.promote(ref('web@2'), 'beta')).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    });

    it('are copied under another name', async () => {
      await modules.publish(publication('web', 'one'), 1);
      const copy = await modules.copy(ref('web@1'), 'shop/copy', 'ben', 2);
      expect(copy).toMatchObject({ name: 'shop/copy', version: 1, author: 'ben', comment: 'Copy of web@1', commit: 'abc' });
    });

    it('are not there under any other name, version or digest', async () => {
      const { deployment } = publication('web', 'one');
      await modules.publish(publication('web', 'one'), 1);
      const other = `sha256:${'0'.repeat(64)}`;
      for (const text of ['we', 'web/x', 'web@2', `web@${other}`])
        await expect(modules.content(ref(text)), text).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.versions('we')).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.deprecate(ref('web@2'), 'x')).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.remove(ref('web@2'))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.copy(ref('web@2'), 'copy', 'ben', 2)).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      // The digest of an image is its own; that of the run that it makes by itself names nothing.
      await expect(modules.find(ref(`web@sha256:${deployment.digest}`))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
    });

    it('are found by digest in the newest version that has it, also when an older one is deprecated', async () => {
      const one = publication('web', 'one');
      const digest = `web@sha256:${one.deployment.nodes[machineNode]?.image.digest}`;
      await modules.publish(one, 1);
      await modules.publish(publication('web', 'two'), 2);
      await modules.publish(one, 3);
      await modules.deprecate(ref('web@1'), 'old');
      expect(await modules.find(ref(digest))).toMatchObject({ version: 3, deprecated: null });
      await modules.remove(ref('web@3'));
      expect(await modules.find(ref(digest))).toMatchObject({ version: 1, deprecated: 'old' });
    });

    it('are not in the app store when nothing of them is left to run', async () => {
      await modules.publish(publication('gone', 'one'), 1);
      await modules.publish(publication('old', 'one'), 1);
      await modules.remove(ref('gone@1'));
      await modules.deprecate(ref('old@1'), 'unsafe');
      expect(await modules.list()).toEqual([]);
      await expect(modules.versions('gone')).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      await expect(modules.find(ref('old'))).rejects.toMatchObject({ code: 'PACELINE_NOT_FOUND' });
      expect((await modules.versions('old')).map(({ deprecated }) => deprecated)).toEqual(['unsafe']);
    });

    it('that are published again after they were deprecated or deleted are new versions', async () => {
      await modules.publish(publication('web', 'one'), 1);
      await modules.deprecate(ref('web@1'), 'by mistake');
      expect((await modules.publish(publication('web', 'one'), 2)).version).toBe(2);
      await modules.remove(ref('web@2'));
      expect((await modules.publish(publication('web', 'one'), 3)).version).toBe(3);
    });

    it('are kept as they were written, whatever is in them', async () => {
      const odd = 'é\u{1F600} \\ \' " % _ ; DROP TABLE modules; ' + 'x'.repeat(100_000);
      await modules.publish({ ...publication('web', odd), comment: odd.slice(0, 500), author: odd.slice(0, 50) }, 1);
      const { module, deployment } = await modules.content(ref('web@1'));
      expect(deployment.nodes[machineNode]?.image.layers.at(-1)?.scripts.deploy?.text).toContain(odd);
      expect([module.comment, module.author]).toEqual([odd.slice(0, 500), odd.slice(0, 50)]);
    });

    it('are one version when the same is published at the same moment, as by requests that are made again', async () => {
      const published = await Promise.all(Array.from({ length: 4 }, () => modules.publish(publication('web', 'one'), 1)));
      expect(published.map(({ version }) => version)).toEqual([1, 1, 1, 1]);
    });

    it('get different numbers when they are published at the same moment', async () => {
      const published = await Promise.all(['a', 'b', 'c', 'd'].map((text) => modules.publish(publication('web', text), 1)));
      expect(published.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    });
  });
}
