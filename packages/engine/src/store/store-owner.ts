import { PacelineError } from '@paceline/model';
import type { Database } from './database.ts';

/**
 * Makes a store one engine's: what another one has launched would be found by none of this one's tags, and launched again.
 * @param inUse whether there are runs or servers
 * @throws PACELINE_STORE_FAILED while there are runs or servers of another engine
 */
export async function makeOwner(database: Database, engine: string, inUse: () => Promise<boolean>): Promise<void> {
  await database.transaction([{ sql: 'INSERT INTO engine (place, id) VALUES (1, ?) ON CONFLICT DO NOTHING', values: [engine] }]);
  const [row] = await database.all('SELECT id FROM engine WHERE place = 1', []);
  if (row?.['id'] === engine) return;
  if (await inUse()) {
    throw new PacelineError('PACELINE_STORE_FAILED', 'The runs in this database are those of an engine with another key or owner tag', {
      hint: 'Servers of one database share the engine.key of their state folders, and their owner tag. To change them, end all runs and servers first.',
    });
  }
  await database.transaction([{ sql: 'UPDATE engine SET id = ? WHERE place = 1', values: [engine] }]);
}
