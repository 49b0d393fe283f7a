import { expect, it } from 'vitest';
import { checkSchema, migrate } from './migrations.ts';
import { openSqlite } from './sqlite.ts';

it('leaves tables alone that a newer version has made', async () => {
  const database = openSqlite(':memory:');
  await migrate(database);
  await checkSchema(database);
  await database.transaction([{ sql: 'INSERT INTO schema_versions (version) VALUES (999)', values: [] }]);
  const refusal = {
    code: 'PACELINE_STORE_FAILED',
    message: expect.stringMatching(/^The tables are of version 999, and this is for version \d+$/),
  };
  await expect(migrate(database)).rejects.toMatchObject(refusal);
  await expect(checkSchema(database)).rejects.toMatchObject(refusal);
});
