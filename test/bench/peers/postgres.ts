import { Client } from 'pg';
import { postgresPrograms, startPostgres } from '../../support/postgres.ts';
import type { Meeting, Member, Peer, Wait } from './peer.ts';

/** A table, `LISTEN` to wait and a `NOTIFY` with each value. */
export const postgres: Peer = {
  name: 'PostgreSQL',
  terms: 'commit with fsync; LISTEN and NOTIFY; pg',
  async start({ writer, member }) {
    if (postgresPrograms === undefined) return undefined;
    const cluster = await startPostgres({ connections: writer + member + 20 });
    await cluster.execute('CREATE TABLE kv (key text PRIMARY KEY, value text); CREATE TABLE counters (name text PRIMARY KEY, n int)');
    return { pid: cluster.pid, endpoint: () => cluster.url, stop: () => cluster.stop() };
  },
  async connect(endpoint) {
    const client = new Client({ connectionString: endpoint });
    await client.connect();
    return new PostgresMember(client);
  },
};

class PostgresMember implements Member {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#client.query({
      name: 'set',
      text: `WITH written AS (INSERT INTO kv VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING key)
        SELECT pg_notify($1, '') FROM written`,
      values: [key, value],
    });
  }

  wait(key: string): Wait {
    const told = new Promise<void>((resolve) => void this.#client.once('notification', () => resolve()));
    const armed = this.#client.query(`LISTEN "${key}"`);
    const woken = (async () => {
      await armed;
      const { rowCount } = await this.#client.query('SELECT value FROM kv WHERE key = $1', [key]);
      if (rowCount === 0) await told;
      await this.#client.query('UNLISTEN *');
    })();
    return { armed, woken };
  }

  async barrier({ name, count }: Meeting): Promise<void> {
    await this.#arrive(name, count);
  }

  async exchange({ name, index, count }: Meeting, address: string): Promise<number> {
    await this.#client.query('INSERT INTO kv VALUES ($1, $2)', [`${name}/${index}`, address]);
    await this.#arrive(name, count);
    const { rowCount } = await this.#client.query('SELECT key, value FROM kv WHERE starts_with(key, $1)', [`${name}/`]);
    return rowCount ?? 0;
  }

  async #arrive(name: string, count: number): Promise<void> {
    const ready = this.wait(name);
    await ready.armed;
    const { rows } = await this.#client.query<{ n: number }>(
      'INSERT INTO counters VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1 RETURNING n',
      [name],
    );
    if (rows[0]?.n === count) await this.set(name, '1');
    await ready.woken;
  }
}
