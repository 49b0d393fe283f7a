import type { Database } from './database.ts';

/** Each entry brings the schema one version further. Entries are never changed once released. */
const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE runs (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL, tags TEXT NOT NULL,
      plan TEXT NOT NULL, facts TEXT NOT NULL, state TEXT NOT NULL, ended_at BIGINT, token_hash TEXT NOT NULL
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
    'CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)',
  ],
];

/** Brings the database to the newest schema. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction([{ sql: 'CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY)', values: [] }]);
  const [row] = await database.all('SELECT COALESCE(MAX(version), 0) AS version FROM schema_versions', []);
  for (let version = Number(row?.['version'] ?? 0) + 1; version <= migrations.length; version++) {
    const statements = (migrations[version - 1] ?? []).map((sql) => ({ sql, values: [] }));
    await database.transaction([...statements, { sql: 'INSERT INTO schema_versions (version) VALUES (?)', values: [version] }]);
  }
}
