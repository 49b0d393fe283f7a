import type { SqlValue } from './database.ts';

/** Which runs to list. */
export interface RunFilter {
  activeOnly?: boolean | undefined;
  limit?: number | undefined;
  offset?: number | undefined;
  /** Only those of these projects. @default all */
  projects?: readonly string[] | undefined;
  /** Only those that have it. */
  tag?: string | undefined;
  /** Only those that this can mean: the beginning of an id, or a name. */
  text?: string | undefined;
}

/** A condition on the rows of runs. */
export interface Condition {
  sql: string;
  values: SqlValue[];
}

export function conditionsOf({ activeOnly = false, projects, tag, text }: RunFilter): Condition[] {
  return [
    ...(activeOnly ? [{ sql: 'ended_at IS NULL', values: [] }] : []),
    ...(projects === undefined ? [] : [{ sql: `project IN (${projects.map(() => '?').join(', ')})`, values: [...projects] }]),
    // The list is stored as JSON: an item of it begins behind a comma, once its bracket has become one, and ends with a quote.
    ...(tag === undefined
      ? []
      : [{ sql: `REPLACE(',' || SUBSTR(tags, 2), ?, '') <> ',' || SUBSTR(tags, 2)`, values: [`,${JSON.stringify(tag)}`] }]),
    ...(text === undefined ? [] : [{ sql: `(id LIKE ? ESCAPE '\\' OR name = ?)`, values: [beginningOf(text), text] }]),
  ];
}

/** A pattern for ids that begin with a text. */
export function beginningOf(text: string): string {
  return `${text.replace(/[\\%_]/g, (character) => `\\${character}`).toLowerCase()}%`;
}
