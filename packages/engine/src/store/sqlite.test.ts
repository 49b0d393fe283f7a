import { execFileSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
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

  it('says that the folder is missing', () => {
    expect(() => openSqlite(join(folder, 'missing', 'db'))).toThrow(expect.objectContaining({ code: 'PACELINE_STORE_FAILED' }));
  });

  it('keeps what a transaction has stored when the process is killed right after', () => {
    const path = join(folder, 'db');
    const script = `
      import { openSqlite } from ${JSON.stringify(join(import.meta.dirname, 'sqlite.ts'))};
      const database = openSqlite(${JSON.stringify(path)});
      await database.transaction([{ sql: 'CREATE TABLE t (a INTEGER)', values: [] }, { sql: 'INSERT INTO t VALUES (42)', values: [] }]);
      process.kill(process.pid, 'SIGKILL');`;
    expect(() =>
      execFileSync(process.execPath, ['--conditions=@paceline/source', '--input-type=module', '-e', script], { stdio: 'ignore' }),
    ).toThrow();
    return expect(openSqlite(path).all('SELECT a FROM t', [])).resolves.toEqual([{ a: 42 }]);
  });
});
