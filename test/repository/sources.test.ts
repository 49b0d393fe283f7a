import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { isTest, read, repository, sourceFiles, trackedFiles } from './tracked-files.ts';

const here = 'test/repository/sources.test.ts';
const longest = 350;

test('no source file is longer than a reader wants to see at once', () => {
  const long = sourceFiles.filter((path) => !isTest(path) && read(path).split('\n').length - 1 > longest);
  expect(long).toEqual([]);
});

test('nobody tells the type checker, or lint about types, to look away', () => {
  expect(where(sourceFiles, /@ts-(ignore|expect-error|nocheck)|-disable.*(no-explicit-any|ban-ts-comment|no-unsafe|promises)/)).toEqual([]);
});

test('no test is skipped, alone or to be written', () => {
  expect(where(sourceFiles.filter(isTest), /\b(it|test|describe)\.(skip|only|todo)\b/)).toEqual([]);
});

test('no file knows the machine that it was written on', () => {
  const places = [repository, homedir()].filter((path) => path.split('/').length > 2);
  expect(where(trackedFiles, { test: (line) => places.some((place) => line.includes(place)) })).toEqual([]);
});

/** The lines that match, as FILE:LINE: TEXT. */
function where(paths: string[], pattern: Pick<RegExp, 'test'>): string[] {
  return paths
    .filter((path) => path !== here)
    .flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
}
