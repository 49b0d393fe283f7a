import type { DatabaseService } from '@backstage/backend-plugin-api';

type Knex = Awaited<ReturnType<DatabaseService['getClient']>>;

const table = 'paceline_tellings';
/** For how long it is remembered what was told, in milliseconds. */
const keptMs = 30 * 24 * 3_600_000;
/** Who has been telling something for longer than this, in milliseconds, has died over it. */
const tellingMs = 60_000;

/** What was told already, by any of the back ends that share the database. */
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
          columns.string('what', 50).notNullable();
          columns.bigInteger('at').notNullable().index();
          columns.boolean('done').notNullable();
          columns.primary(['run', 'what']);
        })
        .catch(async (error: unknown) => {
          // Another back end was faster.
          if (!(await knex.schema.hasTable(table))) throw error;
        });
    }
    return new Told(knex);
  }

  /**
   * Tells something of a run, unless somebody has told it or is about to. When telling fails, or its back end dies over it, it
   * can be told later.
   * @throws what `tell` throws
   */
  async once(run: string, what: string, tell: () => Promise<void>, now = Date.now()): Promise<void> {
    if (!(await this.#claim(run, what, now))) return;
    try {
      await tell();
    } catch (error) {
      await this.#knex(table).where({ run, what, done: false }).delete();
      throw error;
    }
    await this.#knex(table).where({ run, what }).update({ done: true });
  }

  async #claim(run: string, what: string, now: number): Promise<boolean> {
    await this.#knex(table)
      .where('at', '<', now - keptMs)
      .delete();
    await this.#knex(table)
      .where({ run, what, done: false })
      .andWhere('at', '<', now - tellingMs)
      .delete();
    const inserted: unknown[] = await this.#knex(table)
      .insert({ run, what, at: now, done: false })
      .onConflict(['run', 'what'])
      .ignore()
      .returning('run');
    return inserted.length > 0;
  }
}
