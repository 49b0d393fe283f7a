import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfigSchema } from '@backstage/config-loader';
import type { JsonObject } from '@backstage/types';
import { expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '..');
const load = () => {
  const schemas = ['backend', 'catalog'].map((name) => {
    const path = join(folder, name, 'config.schema.json');
    return { path, packageName: name, value: JSON.parse(readFileSync(path, 'utf8')) as JsonObject };
  });
  return loadConfigSchema({ serialized: { backstageConfigSchemaVersion: 1, schemas } });
};
const data = {
  paceline: {
    server: { url: 'https://paceline.example.org', token: 'plt_secret' },
    reap: { frequency: { minutes: 30 }, timeout: '10m' },
    catalog: { owner: 'group:default/sellers' },
  },
};

it('says that the token is a secret, and nothing else', async () => {
  const schema = await load();
  const shown = schema.process([{ data, context: 'a test' }], { visibility: ['secret'] });
  expect(shown).toEqual([{ data: { paceline: { server: { token: 'plt_secret' } } }, context: 'a test' }]);
  expect(schema.process([{ data, context: 'a test' }], { visibility: ['frontend'] })).toEqual([{ data: {}, context: 'a test' }]);
});

it.each([
  ['a server without a token', { server: { url: 'https://x' } }, /token/],
  ['neither a server nor an engine', {}, /server|engine/],
  ['both', { server: data.paceline.server, engine: { state: '/var/lib/paceline' } }, /oneOf|exactly one/],
  ['an engine without a folder', { engine: { url: 'https://x' } }, /state/],
])('refuses a configuration with %s', async (_what, paceline, why) => {
  const schema = await load();
  expect(() => schema.process([{ data: { paceline }, context: 'a test' }])).toThrow(why);
});
