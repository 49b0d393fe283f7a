import { isPacelineError } from '@paceline/model';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { maxNotifyBytes, type Database, type SqlValue, type Statement } from '../store/database.ts';
import { migrate } from '../store/migrations.ts';

/** Any sequence of UTF-16 units, with a liking for those that databases and escapes stumble over. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('\0', '\u0010', '0000', '0010', 'd800', '\ud83d', '\ude00', '\\', "'", '%', '\ufeff', '\uffff', 'a'))
    .map((parts) => parts.join('')),
);

/** How long a test waits for what comes by itself. */
export const soon = { timeout: 20_000, interval: 2 };

/**
 * What every database of the port does.
 * @param open a database of its own for each test, with nothing in it
 */
export function defineDatabaseContract(open: () => Promise<Database>): void {
  let database: Database;
  beforeEach(async () => {
    database = await open();
    await database.transaction([
      statement(
        `CREATE TABLE t (id TEXT PRIMARY KEY, n BIGINT, x DOUBLE PRECISION, b ${database.dialect === 'postgres' ? 'BYTEA' : 'BLOB'})`,
      ),
    ]);
  });
  afterEach(() => database.close());

  const put = (id: string, n = 0): Statement => statement('INSERT INTO t (id, n) VALUES (?, ?)', id, n);
  const add = (id: string, mustChange?: number): Statement => ({
    ...statement('UPDATE t SET n = n + 1 WHERE id = ?', id),
    ...(mustChange !== undefined && { mustChange }),
  });
  const rows = async (): Promise<SqlValue[][]> =>
    (await database.all('SELECT id, n FROM t ORDER BY n, id', [])).map(({ id = null, n = null }) => [id, n]);
  const codeOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'stored',
      (error: unknown) => (isPacelineError(error) ? error.code : error),
    );

  describe('values', () => {
    it('come back as they were', async () => {
      const bytes = new Uint8Array([0, 1, 92, 255]);
      await database.transaction([
        statement('INSERT INTO t (id, n, x, b) VALUES (?, ?, ?, ?)', 'all', Number.MAX_SAFE_INTEGER, 0.1, bytes),
        statement('INSERT INTO t (id, n, x, b) VALUES (?, ?, ?, ?)', '', -1, -1e300, new Uint8Array()),
        statement('INSERT INTO t (id, n, x, b) VALUES (?, ?, ?, ?)', 'nothing', null, null, null),
      ]);
      const found = await database.all('SELECT id, n, x, b FROM t ORDER BY id', []);
      expect(found.map((row) => ({ ...row }))).toEqual([
        { id: '', n: -1, x: -1e300, b: new Uint8Array() },
        { id: 'all', n: Number.MAX_SAFE_INTEGER, x: 0.1, b: bytes },
        { id: 'nothing', n: null, x: null, b: null },
      ]);
    });

    it('are numbers when they are counted, added and compared', async () => {
      await database.transaction([put('a', 1), put('b', 2)]);
      expect(await database.all('SELECT COUNT(*) AS rows, SUM(n) AS sum, MAX(n) > 1 AS more FROM t', [])).toEqual([
        { rows: 2, sum: 3, more: 1 },
      ]);
    });

    it('are refused rather than rounded', async () => {
      await database.transaction([put('a', Number.MAX_SAFE_INTEGER), statement('UPDATE t SET n = n + 2')]);
      await expect(database.all('SELECT n FROM t', [])).rejects.toThrow();
    });

    it('may be any text, in columns and in what they are compared with', async () => {
      await fc.assert(
        fc.asyncProperty(anyText, async (text) => {
          await database.transaction([statement('DELETE FROM t'), put(text)]);
          expect(await database.all('SELECT id FROM t WHERE id = ?', [text])).toEqual([{ id: text }]);
        }),
        { numRuns: 300 },
      );
    });

    it('may be large texts, many at once', async () => {
      const texts = ['x'.repeat(5_000_000), 'é'.repeat(5_000_000), '\0'.repeat(500_000)];
      // The texts are no keys: an index has less room.
      await database.transaction([statement('CREATE TABLE large (position BIGINT PRIMARY KEY, text TEXT NOT NULL)')]);
      await database.transaction(texts.map((text, index) => statement('INSERT INTO large VALUES (?, ?)', index, text)));
      const found = await database.all('SELECT text FROM large ORDER BY position', []);
      expect(found.every(({ text }, index) => text === texts[index])).toBe(true);
    });
  });

  describe('a transaction', () => {
    it('may be empty', async () => {
      await expect(database.transaction([])).resolves.toBeUndefined();
    });

    it('runs its statements in their order', async () => {
      await database.transaction([
        put('a', 0),
        add('a'),
        add('a'),
        statement('UPDATE t SET n = n * ? WHERE id = ?', 10, 'a'),
        add('a'),
        put('b', 5),
        add('b'),
      ]);
      expect(await rows()).toEqual([
        ['b', 6],
        ['a', 21],
      ]);
    });

    it('may say the same many times, and the last word counts', async () => {
      const upsert = (id: string, n: number) =>
        statement('INSERT INTO t (id, n) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET n = excluded.n', id, n);
      await database.transaction(Array.from({ length: 500 }, (_, index) => upsert(`key ${index % 5}`, index)));
      expect(await rows()).toEqual([0, 1, 2, 3, 4].map((key) => [`key ${key}`, 495 + key]));
    });

    it('that fails at any statement has stored nothing', async () => {
      await database.transaction([put('there')]);
      for (const at of [0, 1, 3]) {
        const statements = [put('a'), put('b'), put('c')].toSpliced(at, 0, put('there'));
        expect(await codeOf(database.transaction(statements))).toBe('PACELINE_STORE_FAILED');
      }
      expect(await codeOf(database.transaction([put('a'), statement('UPDATE nowhere SET x = 1')]))).not.toBe('stored');
      expect(await rows()).toEqual([['there', 0]]);
      await database.transaction([put('a')]);
    });

    it('may change the schema, and fail at that', async () => {
      await expect(
        database.transaction([statement('CREATE TABLE u (a BIGINT)'), statement('INSERT INTO u VALUES (?)', 1), put('x'), put('x')]),
      ).rejects.toThrow();
      await database.transaction([statement('CREATE TABLE u (a BIGINT)'), statement('INSERT INTO u VALUES (?)', 1)]);
      expect(await database.all('SELECT a FROM u', [])).toEqual([{ a: 1 }]);
    });
  });

  describe('a statement that must change so many rows', () => {
    it('may change them', async () => {
      await database.transaction([put('a'), { ...put('b'), mustChange: 1 }, add('a', 1), add('c', 0)]);
      await database.transaction([{ ...statement('DELETE FROM t'), mustChange: 2 }]);
      expect(await rows()).toEqual([]);
    });

    it('fails the transaction when it changes more or less', async () => {
      await database.transaction([put('a'), put('b')]);
      await expect(database.transaction([put('c'), add('nobody', 1), put('d')])).rejects.toMatchObject({
        code: 'PACELINE_CONFLICT',
        message: 'The store expected 1 changed rows and saw 0',
      });
      await expect(database.transaction([put('c'), { ...statement('UPDATE t SET n = 7'), mustChange: 1 }])).rejects.toMatchObject({
        code: 'PACELINE_CONFLICT',
        message: 'The store expected 1 changed rows and saw 3',
      });
      expect(await rows()).toEqual([
        ['a', 0],
        ['b', 0],
      ]);
    });

    it('is what is reported when it is the first that fails, and only then', async () => {
      await database.transaction([put('a')]);
      expect(await codeOf(database.transaction([add('nobody', 1), put('a')]))).toBe('PACELINE_CONFLICT');
      expect(await codeOf(database.transaction([put('a'), add('nobody', 1)]))).toBe('PACELINE_STORE_FAILED');
    });

    it('may insert what is not there yet', async () => {
      const claim = { ...statement('INSERT INTO t (id) VALUES (?) ON CONFLICT DO NOTHING', 'lease'), mustChange: 1 };
      await database.transaction([claim]);
      expect(await codeOf(database.transaction([claim]))).toBe('PACELINE_CONFLICT');
    });
  });

  describe('transactions at once', () => {
    it('lose no change of each other', async () => {
      await database.transaction([put('a'), put('b')]);
      await Promise.all(Array.from({ length: 100 }, () => database.transaction([add('a', 1), add('b', 1)])));
      expect(await rows()).toEqual([
        ['a', 100],
        ['b', 100],
      ]);
    });

    it('that want the same thing get it once', async () => {
      await database.transaction([put('lease')]);
      const take = { ...statement('UPDATE t SET n = n + 1 WHERE id = ? AND n = ?', 'lease', 0), mustChange: 1 };
      const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(database.transaction([take]))));
      expect(codes.filter((code) => code === 'stored')).toHaveLength(1);
      expect(codes.filter((code) => code === 'PACELINE_CONFLICT')).toHaveLength(19);
    });

    it('may take the same rows in different orders', async () => {
      await database.transaction([put('a'), put('b')]);
      const both = (first: string, second: string) =>
        database.transaction([add(first, 1), ...Array.from({ length: 20 }, () => add('none', 0)), add(second, 1)]);
      for (let round = 0; round < 5; round++) await Promise.all([both('a', 'b'), both('b', 'a')]);
      expect(await rows()).toEqual([
        ['a', 10],
        ['b', 10],
      ]);
    });
  });

  describe('notifications', () => {
    const listen = async (): Promise<{ heard: string[]; end: () => Promise<void> }> => {
      const heard: string[] = [];
      const end = await database.listen({ message: (payload) => heard.push(payload), gap: () => heard.push('a gap') });
      return { heard, end };
    };

    it('reach all who listen, in the order of the transactions', async () => {
      const listeners = [await listen(), await listen()];
      const sent = Array.from({ length: 20 }, (_, index) => `message ${index}`);
      for (const payload of sent) await database.transaction([put(payload)], payload);
      for (const { heard } of listeners) await vi.waitFor(() => expect(heard).toEqual(sent), soon);
    });

    it('are not sent before their transaction is stored, nor when it fails', async () => {
      const { heard } = await listen();
      await expect(database.transaction([put('a'), put('a')], 'never')).rejects.toThrow();
      await database.transaction([], 'nothing to store');
      await vi.waitFor(() => expect(heard).toEqual(['nothing to store']), soon);
    });

    it('show what has been stored with them', async () => {
      const seen = Promise.withResolvers<SqlValue[][]>();
      await database.listen({ message: () => void rows().then(seen.resolve, seen.reject), gap: () => {} });
      await database.transaction([put('a', 1)], 'look');
      expect(await seen.promise).toEqual([['a', 1]]);
    });

    it('may be any text', async () => {
      const { heard } = await listen();
      await fc.assert(
        fc.asyncProperty(anyText, async (text) => {
          heard.length = 0;
          await database.transaction([], text);
          await vi.waitFor(() => expect(heard).toEqual([text]), soon);
        }),
        { numRuns: 100 },
      );
    });

    it('are refused with their transaction when they are too long', async () => {
      const { heard } = await listen();
      expect(await codeOf(database.transaction([put('a')], 'é'.repeat(maxNotifyBytes)))).toBe('PACELINE_TOO_LARGE');
      expect(await rows()).toEqual([]);
      const longest = 'x'.repeat(maxNotifyBytes);
      await database.transaction([put('b')], longest);
      await vi.waitFor(() => expect(heard).toEqual([longest]), soon);
    });

    it('reach nobody who does not listen any more', async () => {
      const first = await listen();
      const second = await listen();
      await first.end();
      await database.transaction([], 'hello');
      await vi.waitFor(() => expect(second.heard).toEqual(['hello']), soon);
      expect(first.heard).toEqual([]);
    });
  });

  describe('migrations', () => {
    it('may run again', async () => {
      await migrate(database);
      const versions = await database.all('SELECT version FROM schema_versions', []);
      expect(versions).not.toEqual([]);
      await migrate(database);
      expect(await database.all('SELECT version FROM schema_versions', [])).toEqual(versions);
    });

    it('may run many times at once', async () => {
      await Promise.all([1, 2, 3, 4].map(() => migrate(database)));
      expect(await database.all('SELECT COUNT(*) AS runs FROM runs', [])).toEqual([{ runs: 0 }]);
    });
  });

  it('closes when what is under way has ended', async () => {
    const work = Array.from({ length: 20 }, (_, index) => database.transaction([put(`key ${index}`)]));
    const closing = database.close();
    expect((await Promise.allSettled(work)).every(({ status }) => status === 'fulfilled')).toBe(true);
    await closing;
    database = await open();
  });
}

export function statement(sql: string, ...values: SqlValue[]): Statement {
  return { sql, values };
}
