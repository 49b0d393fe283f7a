import type { DatabaseService } from '@backstage/backend-plugin-api';

type Knex = Awaited<ReturnType<DatabaseService['getClient']>>;

const table = 'paceline_told';
/** For how long it is remembered what was told, in milliseconds. */
const keptMs = 30 * 24 * 3_600_000;

/** What of which run was told already, by any of the back ends that share the database. */
export class Told {
  readonly #knex: Knex;

  private constructor(knex: Knex) {
    this.#knex = knex;
  }

  static async open(database: DatabaseService): Promise<Told> {
    const knex = await database.getClient();
    if (!database.migrations?.skip && !(await knex.schema.hasTable(table))) {
      await knex.schema
        .createTable(table, (columns) => {
          columns.string('run', 100).notNullable();
          columns.string('state', 50).notNullable();
          columns.bigInteger('at').notNullable().index();
          columns.primary(['run', 'state']);
        })
        .catch(async (error: unknown) => {
          // Another back end was faster.
          if (!(await knex.schema.hasTable(table))) throw error;
        });
    }
    return new Told(knex);
  }

  /** Whether it was not told yet, which is so for one of all who ask. */
  async first(run: string, state: string, now = Date.now()): Promise<boolean> {
    await this.#knex(table)
      .where('at', '<', now - keptMs)
      .delete();
    const inserted: unknown[] = await this.#knex(table)
      .insert({ run, state, at: now })
      .onConflict(['run', 'state'])
      .ignore()
      .returning('run');
    return inserted.length > 0;
  }
}
