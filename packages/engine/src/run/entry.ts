/** What a record holds under a name that comes from outside: `constructor` and its like are no entries. */
export function entryOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
