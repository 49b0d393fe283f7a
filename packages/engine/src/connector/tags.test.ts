import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resourceOf } from './resource.ts';
import { indexOf, matches, readTags, wantedTags, writeTags, type Tags } from './tags.ts';

const word = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' });
const anyTags: fc.Arbitrary<Tags> = fc.record(
  {
    owner: fc.record({ engine: word, run: word, node: word }, { requiredKeys: ['engine', 'run'] }),
    token: word,
    index: fc.nat(),
    indices: fc.array(fc.nat(9_999), { minLength: 1, maxLength: 20 }),
    expiresAt: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }),
    login: word,
  },
  { requiredKeys: ['owner'] },
);

test('what is written of a thing is read again, beside tags of others', () => {
  fc.assert(
    fc.property(anyTags, word, (tags, prefix) => {
      expect(readTags({ ...writeTags(tags, prefix), [`${prefix}.engine`]: 'other' }, prefix)).toEqual(tags);
      expect(readTags(writeTags(tags))).toEqual(tags);
    }),
  );
});

test('whatever somebody else has written is not ours, and a value that cannot be is none', () => {
  fc.assert(fc.property(fc.dictionary(word, fc.anything()), (values) => readTags(values, 'paceline:') === undefined));
  expect(readTags(null)).toBeUndefined();
  expect(readTags({ engine: 1, run: 'x' })).toBeUndefined();
  expect(readTags({ engine: 'e', run: 'r', index: '-1', expires: 'soon', token: null })).toEqual({ owner: { engine: 'e', run: 'r' } });
});

test('a machine has its own number, or that of its place among those that were launched by one call', () => {
  const owner = { engine: 'e', run: 'r' };
  expect(indexOf({ owner, index: 4 }, undefined)).toBe(4);
  expect([0, 1, 2].map((place) => indexOf({ owner, indices: [4, 9] }, place))).toEqual([4, 9, 0]);
  expect(indexOf({ owner, indices: [4, 9] }, undefined)).toBe(0);
  expect(indexOf({ owner }, 0)).toBeUndefined();
});

test('a query selects what carries all that it names', () => {
  const tags: Tags = { owner: { engine: 'one', run: 'run', node: 'web' }, token: 'token' };
  expect(matches(tags, { engine: 'one' })).toBe(true);
  expect(matches(tags, { engine: 'one', run: 'run', token: 'token' })).toBe(true);
  expect(matches(tags, { engine: 'two', run: 'run' })).toBe(false);
  expect(matches(tags, { engine: 'one', run: 'other' })).toBe(false);
  expect(matches(tags, { engine: 'one', token: 'other' })).toBe(false);
  expect(matches({ owner: tags.owner }, { engine: 'one', token: 'token' })).toBe(false);
});

test('a query asks for the tags that are written', () => {
  fc.assert(
    fc.property(anyTags, ({ owner, token }) => {
      const query = { engine: owner.engine, run: owner.run, ...(token !== undefined && { token }) };
      const { node: _, ...asked } = { ...owner };
      expect(Object.fromEntries(wantedTags(query, 'x-'))).toEqual(writeTags({ owner: asked, ...(token !== undefined && { token }) }, 'x-'));
    }),
  );
});

test('a resource says of itself what its tags say', () => {
  const expiresAt = new Date(0);
  const owner = { engine: 'e', run: 'r' };
  expect(resourceOf({ kind: 'disk', id: 'd-1', name: 'disk' }, { owner, token: 't', expiresAt, index: 3, login: 'root' })).toEqual({
    kind: 'disk',
    id: 'd-1',
    name: 'disk',
    owner,
    token: 't',
    expiresAt,
  });
  expect(resourceOf({ kind: 'disk', id: 'd-2', name: 'of another' }, undefined)).toBeUndefined();
});
