/** A statement in PostgreSQL's words. Without a name it is parsed anew each time. */
export interface PreparedSql {
  name: string;
  text: string;
}

/** Prepared statements cost memory in every connection; texts that are put together from data must not fill it. */
const maxNames = 500;
const guardMark = 'paceline saw changed rows: ';

/** Translates SQL with `?`, and names it so that a connection parses and plans each text once. */
export class SqlTexts {
  readonly #known = new Map<string, PreparedSql>();

  /** Of a query whose rows are wanted. */
  query(sql: string): PreparedSql {
    return this.#named('q', sql, () => numbered(sql).text);
  }

  /** Of a statement that may change any number of rows. */
  statement(sql: string): PreparedSql {
    return this.#named('s', sql, () => numbered(sql).text);
  }

  /** Of a statement that fails unless it changes as many rows as one more value says: the server itself stops the transaction. */
  guarded(sql: string): PreparedSql {
    return this.#named('g', sql, () => {
      const { text, count } = numbered(sql);
      return `WITH changed AS (${text} RETURNING 1) SELECT CASE WHEN count(*) = $${count + 1} THEN 0 ELSE ('${guardMark}' || count(*))::integer END FROM changed`;
    });
  }

  #named(kind: string, sql: string, translate: () => string): PreparedSql {
    const key = `${kind} ${sql}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const isNew = this.#known.size < maxNames;
      known = { name: isNew ? `${kind}${this.#known.size}` : '', text: translate() };
      if (isNew) this.#known.set(key, known);
    }
    return known;
  }
}

/** How many rows a guarded statement has changed, from the message of its error; undefined for any other message. */
export function rowsSeen(message: string): number | undefined {
  const [, rows] = message.split(guardMark);
  return rows === undefined ? undefined : Number.parseInt(rows, 10);
}

function numbered(sql: string): { text: string; count: number } {
  let count = 0;
  const text = sql.replaceAll('?', () => `$${++count}`);
  return { text, count };
}
