import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Tags } from '@paceline/engine/connector';
import { descriptionOf, metadataOf, readDescription, readMetadata, searchTags } from './tags.ts';

const word = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).filter((text) => text.isWellFormed());
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

test('what is said of a thing is read again, in metadata and in descriptions', () => {
  fc.assert(
    fc.property(anyTags, (tags) => {
      expect(readMetadata(metadataOf(tags))).toEqual(tags);
      expect(readDescription(descriptionOf(tags))).toEqual(tags);
    }),
  );
});

test('whatever somebody else has written is not ours', () => {
  fc.assert(fc.property(fc.string(), (text) => readDescription(text) === undefined));
  expect(readDescription('paceline engine=%E0%A4%A run=x')).toBeUndefined();
  expect(readDescription(null)).toBeUndefined();
  expect(readMetadata({ 'paceline:engine': 1, run: 'x' })).toBeUndefined();
});

test('tags by which machines are looked up are such as Nova takes, whatever the names', () => {
  fc.assert(
    fc.property(word, word, word, (engine, run, token) => {
      const tags = searchTags({ engine, run, token });
      expect(tags).toHaveLength(4);
      for (const tag of tags) {
        expect(tag.length).toBeLessThanOrEqual(60);
        expect(tag).not.toMatch(/[,/]/);
      }
    }),
  );
  expect(searchTags({ engine: 'e', run: 'r' })).toEqual(['paceline', 'paceline:engine=e', 'paceline:run=r']);
});
