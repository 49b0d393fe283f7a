/**
 * The table of docs/errors.md, made from the catalogue of packages/model; run as a program it is put into that file. A test compares
 * both.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { errorCatalogue } from '../packages/model/src/errors/catalogue.ts';

export const begin = '<!-- made by npm run generate -->';
export const end = '<!-- until here -->';

export function errorsTable(): string {
  const rows = Object.entries(errorCatalogue).map(
    ([code, { title, status, exit }]) => `| [\`${code}\`](#${code.toLowerCase()}) | ${title} | ${status} | ${exit} |`,
  );
  return ['| code | means | HTTP status | exit code |', '|---|---|---|---|', ...rows].join('\n');
}

/** The text with today's table between the two marks. */
export function withTable(text: string): string {
  const [before, rest = ''] = text.split(begin);
  return `${before}${begin}\n${errorsTable()}\n${end}${rest.split(end)[1] ?? ''}`;
}

if (import.meta.main) {
  const file = new URL('../docs/errors.md', import.meta.url);
  writeFileSync(file, withTable(readFileSync(file, 'utf8')));
}
