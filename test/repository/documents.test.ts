import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { program } from '../../packages/cli/src/program.ts';
import { read, repository, rootManifest, trackedFiles } from './tracked-files.ts';

const documents = trackedFiles.filter((path) => path.endsWith('.md') && !path.startsWith('.changeset/'));
const shell = {
  env: {},
  cwd: repository,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
  readerGone: new AbortController().signal,
};
const command = program(shell, () => {});

test('README.md says the two commands that show and prove it', () => {
  expect(read('README.md')).toContain('npm run demo');
  expect(read('README.md')).toContain('npm test');
});

test.each(documents)('%s names only scripts that exist', (path) => {
  const named = [...read(path).matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)].map(([, script, short]) => script ?? short ?? '');
  for (const script of named) expect(Object.keys(rootManifest.scripts ?? {})).toContain(script);
});

test.each(documents)('%s names only commands and options that exist', (path) => {
  for (const line of commandLines(read(path))) {
    const [, name = '', ...words] = line.replace(/\s#.*$/, '').split(/\s+/);
    const found = command.commands.find((candidate) => candidate.name() === name);
    expect(found, line).toBeDefined();
    const options = [...command.options, ...(found?.options ?? [])].flatMap(({ short, long }) => [short, long]);
    for (const word of words.filter((text) => /^--?[a-z]/.test(text))) expect(options, line).toContain(word.split('=')[0]);
  }
});

test.each(documents)('%s links only to what is there', (path) => {
  const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^(https?:|mailto:|#)/.test(link));
  for (const link of links) expect(existsSync(join(repository, dirname(path), link.split('#')[0] ?? '')), link).toBe(true);
});

/** `paceline …` as lines of code blocks, and in backticks within prose when a command follows. */
function commandLines(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const prose = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`(paceline [a-z][^`]*)`/g)].map(([, line = '']) => line);
  return [...blocks.map((line) => line.trim()).filter((line) => /^paceline [a-z]/.test(line)), ...prose];
}
