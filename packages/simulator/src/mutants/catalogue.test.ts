import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { edited, editsOf, mutants } from './catalogue.ts';

const engine = dirname(fileURLToPath(import.meta.resolve('@paceline/engine')));

test.each(mutants)('$name: its place is there, once', (mutant) => {
  for (const edit of editsOf(mutant)) {
    const source = readFileSync(join(engine, edit.file), 'utf8');
    expect(edited(source, edit)).not.toBe(source);
  }
});

test('there are enough of them, each with a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(30);
});
