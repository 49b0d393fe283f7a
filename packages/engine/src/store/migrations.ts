import { isPacelineError, PacelineError } from '@paceline/model';
import type { Database, Statement } from './database.ts';

/** Each entry brings the schema one version further. Entries are never changed once released. */
const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE runs (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL, tags TEXT NOT NULL,
      plan TEXT NOT NULL, facts TEXT NOT NULL, state TEXT NOT NULL, ended_at BIGINT,
      owner TEXT, revision BIGINT NOT NULL
    )`,
    'CREATE INDEX runs_by_time ON runs (created_at)',
    'CREATE INDEX runs_by_end ON runs (ended_at)',
    `CREATE TABLE instances (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL, position INTEGER NOT NULL,
      data TEXT NOT NULL, PRIMARY KEY (run, name)
    )`,
    `CREATE TABLE parameters (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL, secret INTEGER NOT NULL,
      PRIMARY KEY (run, name)
    )`,
    `CREATE TABLE events (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, seq INTEGER NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL,
      PRIMARY KEY (run, seq)
    )`,
    `CREATE TABLE logs (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, seq INTEGER NOT NULL, instance TEXT NOT NULL, source TEXT NOT NULL,
      stream TEXT NOT NULL, start BIGINT NOT NULL, bytes BIGINT NOT NULL, at BIGINT NOT NULL, text TEXT NOT NULL,
      PRIMARY KEY (run, seq)
    )`,
    `CREATE TABLE reports (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL, instance TEXT NOT NULL, bytes BIGINT NOT NULL,
      sha256 TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (run, name)
    )`,
    'CREATE TABLE replicas (id TEXT PRIMARY KEY, url TEXT NOT NULL, beats BIGINT NOT NULL)',
  ],
  [
    "ALTER TABLE runs ADD COLUMN project TEXT NOT NULL DEFAULT 'default'",
    'CREATE INDEX runs_by_project ON runs (project, created_at)',
    'CREATE TABLE users (name TEXT PRIMARY KEY, created_at BIGINT NOT NULL, created_by TEXT NOT NULL)',
    `CREATE TABLE grants (
      user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, project TEXT NOT NULL, role TEXT NOT NULL,
      PRIMARY KEY (user_name, project)
    )`,
    `CREATE TABLE tokens (
      id TEXT PRIMARY KEY, user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, title TEXT NOT NULL,
      hash TEXT NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL, expires_at BIGINT, role TEXT, project TEXT
    )`,
    'CREATE INDEX tokens_by_user ON tokens (user_name)',
  ],
  [
    `CREATE TABLE modules (
      name TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
      description TEXT NOT NULL, tags TEXT NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL, revision TEXT NOT NULL,
      published_at BIGINT NOT NULL, deprecated TEXT, content TEXT, PRIMARY KEY (name, version)
    )`,
    `CREATE TABLE images (
      cloud TEXT NOT NULL, digest TEXT NOT NULL, module TEXT NOT NULL, image TEXT NOT NULL, resource TEXT NOT NULL,
      login TEXT, run TEXT NOT NULL, made_at BIGINT NOT NULL, used_at BIGINT NOT NULL, pinned INTEGER NOT NULL,
      PRIMARY KEY (cloud, digest)
    )`,
  ],
  ['CREATE TABLE channels (module TEXT NOT NULL, channel TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (module, channel))'],
  [
    `CREATE TABLE builds (
      cloud TEXT NOT NULL, digest TEXT NOT NULL, run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, PRIMARY KEY (cloud, digest)
    )`,
  ],
  [
    `CREATE TABLE project_images (
      project TEXT NOT NULL, cloud TEXT NOT NULL, digest TEXT NOT NULL, module TEXT NOT NULL, image TEXT NOT NULL, resource TEXT NOT NULL,
      login TEXT, run TEXT NOT NULL, made_at BIGINT NOT NULL, used_at BIGINT NOT NULL, pinned INTEGER NOT NULL,
      PRIMARY KEY (project, cloud, digest)
    )`,
    `INSERT INTO project_images (project, cloud, digest, module, image, resource, login, run, made_at, used_at, pinned)
      SELECT '*', cloud, digest, module, image, resource, login, run, made_at, used_at, pinned FROM images`,
    'DROP TABLE images',
    'ALTER TABLE project_images RENAME TO images',
    `CREATE TABLE project_builds (
      project TEXT NOT NULL, cloud TEXT NOT NULL, digest TEXT NOT NULL, run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
      PRIMARY KEY (project, cloud, digest)
    )`,
    "INSERT INTO project_builds (project, cloud, digest, run) SELECT '*', cloud, digest, run FROM builds",
    'DROP TABLE builds',
    'ALTER TABLE project_builds RENAME TO builds',
  ],
  [
    `CREATE TABLE audit (
      at BIGINT NOT NULL, id TEXT NOT NULL, actor TEXT NOT NULL, operation TEXT NOT NULL, subject TEXT NOT NULL,
      status INTEGER NOT NULL, PRIMARY KEY (at, id)
    )`,
  ],
  ['CREATE TABLE engine (place INTEGER PRIMARY KEY, id TEXT NOT NULL)'],
  ['ALTER TABLE images ADD COLUMN account TEXT'],
  [
    "ALTER TABLE images ADD COLUMN recipe TEXT NOT NULL DEFAULT ''",
    'UPDATE images SET recipe = digest',
    'ALTER TABLE images ADD COLUMN lost_at BIGINT',
  ],
];

/** PostgreSQL's words for SQLite's types: text compares by its bytes, whatever language the database was made for. */
const translations: Record<Database['dialect'], (sql: string) => string> = {
  sqlite: (sql) => sql,
  postgres: (sql) => sql.replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"').replaceAll(/\bINTEGER\b/g, 'BIGINT'),
};

/** Servers that start at once make the first table one after the other; for PostgreSQL its `IF NOT EXISTS` is not enough. */
const turns: Record<Database['dialect'], readonly string[]> = {
  sqlite: [],
  postgres: ["SELECT pg_advisory_xact_lock(hashtext('paceline'))"],
};

/**
 * Brings the database to a schema. Any number of servers may do so at once.
 * @param last its version; the newest one unless a test begins with an older one
 * @throws PACELINE_STORE_FAILED when the tables are those of a newer version
 */
export async function migrate(database: Database, last = migrations.length): Promise<void> {
  const run = (...lines: readonly string[]): Statement[] => lines.map((sql) => ({ sql: translations[database.dialect](sql), values: [] }));
  await database.transaction(run(...turns[database.dialect], 'CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY)'));
  for (let version = await nextVersion(database); version <= last; version = await nextVersion(database)) {
    // Another server that is at this version waits here, and finds that it is done.
    const claim = { sql: 'INSERT INTO schema_versions (version) VALUES (?) ON CONFLICT DO NOTHING', values: [version], mustChange: 1 };
    await database.transaction([claim, ...run(...(migrations[version - 1] ?? []))]).catch((error: unknown) => {
      if (!isPacelineError(error) || error.code !== 'PACELINE_CONFLICT') throw error;
    });
  }
  const found = (await nextVersion(database)) - 1;
  if (found > migrations.length) throw notOurs(found, 'A newer Paceline has brought them further: use that one, or a newer one still.');
}

/** For a server that may not change the tables. @throws PACELINE_STORE_FAILED unless they are those of this version */
export async function checkSchema(database: Database): Promise<void> {
  const found = await nextVersion(database).then(
    (next) => next - 1,
    () => 0,
  );
  if (found === migrations.length) return;
  throw notOurs(found, 'Start it once as a user of the database who may change tables, and without leaving out migrations.');
}

function notOurs(found: number, hint: string): PacelineError {
  const message = `The tables are of version ${found}, and this is for version ${migrations.length}`;
  return new PacelineError('PACELINE_STORE_FAILED', message, { hint });
}

async function nextVersion(database: Database): Promise<number> {
  const [row] = await database.all('SELECT COALESCE(MAX(version), 0) AS version FROM schema_versions', []);
  return Number(row?.['version'] ?? 0) + 1;
}
