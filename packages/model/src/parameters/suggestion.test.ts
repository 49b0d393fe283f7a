import { expect, test } from 'vitest';
import { closest, suggest } from './suggestion.ts';

test('close spellings are found, far ones are not', () => {
  const known = ['multiplicity', 'cloud', 'image', 'parameters'];
  expect(closest('multiplicty', known)).toBe('multiplicity');
  expect(closest('imgae', known)).toBe('image');
  expect(closest('Cloud', known)).toBe('cloud');
  expect(closest('zebra', known)).toBeUndefined();
  expect(closest('x'.repeat(1e6), known)).toBeUndefined();
});

test('the hint offers the close name, else the few that exist', () => {
  expect(suggest('prot', ['port', 'ready'])).toBe('Did you mean `port`?');
  expect(suggest('zebra', ['port', 'ready'])).toBe('There are: port, ready.');
  expect(suggest('zebra', [])).toBeUndefined();
});
