import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { defineDatabaseContract } from '../testing/database-contract.ts';
import { defineImageContract } from '../testing/image-contract.ts';
import { defineModuleContract } from '../testing/module-contract.ts';
import { openSqlite } from './sqlite.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paceline-sqlite-'));
});

/** A process opens a database, does something with it and is killed. */
function killed(path: string, work: string): void {
  const script = `
    import { openSqlite } from ${JSON.stringify(join(import.meta.dirname, 'sqlite.ts'))};
    const database = openSqlite(${JSON.stringify(path)});
    ${work}
    process.kill(process.pid, 'SIGKILL');`;
  const run = () =>
    execFileSync(process.execPath, ['--conditions=@paceline/source', '--input-type=module', '-e', script], { stdio: 'ignore' });
  expect(run).toThrow(expect.objectContaining({ signal: 'SIGKILL' }));
}

describe('SQLite', () => {
  describe('keeps the contract of databases:', () => {
    defineDatabaseContract(async () => openSqlite(':memory:'));
  });

  describe('keeps the contract of the registry:', () => {
    defineModuleContract(async () => openSqlite(':memory:'));
    defineImageContract(async () => openSqlite(':memory:'));
  });

  it('belongs to one process', async () => {
    const path = join(folder, 'db');
    const first = openSqlite(path);
    expect(() => openSqlite(path)).toThrow(expect.objectContaining({ code: 'PACELINE_STORE_LOCKED' }));
    await first.close();
    await openSqlite(path).close();
  });

  it('says that a file is damaged', async () => {
    const path = join(folder, 'db');
    await writeFile(path, 'this is not a database, and long enough to be looked at as one '.repeat(100));
    expect(() => openSqlite(path)).toThrow(
      expect.objectContaining({ code: 'PACELINE_STORE_FAILED', hint: expect.stringContaining('paceline reap') }),
    );
  });

  it('finds a damaged page of a file whose last user was killed, before anybody uses it', async () => {
    const path = join(folder, 'db');
    const first = openSqlite(path);
    const text = 'x'.repeat(1000);
    const rows = Array.from({ length: 100 }, () => ({ sql: 'INSERT INTO t VALUES (?)', values: [text] }));
    await first.transaction([{ sql: 'CREATE TABLE t (a TEXT)', values: [] }, ...rows]);
    await first.close();
    killed(path, "await database.transaction([{ sql: 'CREATE TABLE u (a INTEGER)', values: [] }]);");
    const good = openSqlite(path);
    await expect(good.all('SELECT COUNT(*) AS count FROM t', [])).resolves.toEqual([{ count: 100 }]);
    await good.close();
    killed(path, "await database.transaction([{ sql: 'INSERT INTO u VALUES (1)', values: [] }]);");
    const bytes = await readFile(path);
    // The beginning of a page in the middle, which says what is in it.
    bytes.fill(0xff, 10 * 4096, 10 * 4096 + 8);
    await writeFile(path, bytes);
    expect(() => openSqlite(path)).toThrow(
      expect.objectContaining({ code: 'PACELINE_STORE_FAILED', hint: expect.stringContaining('paceline reap') }),
    );
  });

  it('says that the folder is missing', () => {
    expect(() => openSqlite(join(folder, 'missing', 'db'))).toThrow(expect.objectContaining({ code: 'PACELINE_STORE_FAILED' }));
  });

  it('keeps what a transaction has stored when the process is killed right after', () => {
    const path = join(folder, 'db');
    killed(
      path,
      "await database.transaction([{ sql: 'CREATE TABLE t (a INTEGER)', values: [] }, { sql: 'INSERT INTO t VALUES (42)', values: [] }]);",
    );
    return expect(openSqlite(path).all('SELECT a FROM t', [])).resolves.toEqual([{ a: 42 }]);
  });
});
