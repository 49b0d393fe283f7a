import { expect, it } from 'vitest';
import { rowsSeen, SqlTexts } from './postgres-sql.ts';

it('numbers the placeholders', () => {
  expect(new SqlTexts().statement('INSERT INTO t VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = ?').text).toBe(
    'INSERT INTO t VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = $3',
  );
});

it('lets the server stop a transaction whose statement has changed another number of rows', () => {
  expect(new SqlTexts().guarded('DELETE FROM t WHERE a = ?').text).toMatchInlineSnapshot(
    `"WITH changed AS (DELETE FROM t WHERE a = $1 RETURNING 1) SELECT CASE WHEN count(*) = $2 THEN 0 ELSE ('paceline saw changed rows: ' || count(*))::integer END FROM changed"`,
  );
  expect(rowsSeen('invalid input syntax for type integer: "paceline saw changed rows: 12"')).toBe(12);
  expect(rowsSeen('invalid input syntax for type integer: "x"')).toBeUndefined();
});

it('names each text once, and apart for each use', () => {
  const texts = new SqlTexts();
  const name = texts.query('DELETE FROM t').name;
  expect(texts.query('DELETE FROM t').name).toBe(name);
  expect(
    new Set([name, texts.statement('DELETE FROM t').name, texts.guarded('DELETE FROM t').name, texts.query('SELECT 1').name]).size,
  ).toBe(4);
});

it('has names for so many texts and no more', () => {
  const texts = new SqlTexts();
  const names = Array.from({ length: 1000 }, (_, index) => texts.query(`SELECT ${index}`).name);
  expect(new Set(names).size).toBe(501);
  expect(names.at(-1)).toBe('');
  expect(texts.query('SELECT 0').name).toBe(names[0]);
});
