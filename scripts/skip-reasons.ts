export interface Skipped {
  /** What the test itself has said. */
  note: string | undefined;
  /** Of the test and of what it is in, from the outside. */
  names: readonly string[];
}

/** Why tests were skipped, one line for each reason, with how many it kept from running. */
export function skipReasons(skipped: readonly Skipped[]): string[] {
  const byReason = Map.groupBy(skipped, reasonOf);
  return [...byReason].map(([reason, tests]) => {
    const said = reason ?? `no reason is given, such as for '${tests[0]?.names.join(' > ')}'`;
    return `Skipped, ${tests.length} ${tests.length === 1 ? 'test' : 'tests'}: ${said}`;
  });
}

/** A whole group that is skipped has its reason in brackets at the end of its name. */
function reasonOf({ note, names }: Skipped): string | undefined {
  return note ?? names.map((name) => / \((.+)\)$/s.exec(name)?.[1]).find((reason) => reason !== undefined);
}
