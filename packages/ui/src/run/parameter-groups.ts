import type { ParameterView } from '@paceline/api';

export type ParameterRow = { kind: 'group'; key: string } | { kind: 'parameter'; key: string; name: string; parameter: ParameterView };

/** Parameters under the headings of their groups (`ss`, `web`, `web.1`), those of the run first. */
export function rowsOf(parameters: readonly ParameterView[], filter: { text: string; withUnset: boolean }): ParameterRow[] {
  const wanted = filter.text.toLowerCase();
  const fitting = parameters.filter(
    ({ key, value }) => (filter.withUnset || (value !== null && value !== '')) && `${key}\n${value ?? ''}`.toLowerCase().includes(wanted),
  );
  const groups = Map.groupBy(fitting, ({ key }) => key.slice(0, key.indexOf(':')));
  return [...groups]
    .toSorted(([a], [b]) => Number(b === 'ss') - Number(a === 'ss') || a.localeCompare(b, 'en', { numeric: true }))
    .flatMap(([group, own]) => [
      { kind: 'group' as const, key: group === 'ss' ? 'The run' : group },
      ...own.map((parameter) => ({
        kind: 'parameter' as const,
        key: parameter.key,
        name: parameter.key.slice(group.length + 1),
        parameter,
      })),
    ]);
}
