/** One line of the printed table: what was measured, how much, and what limits it. */
export interface Figure {
  metric: string;
  value: string;
  limit: string;
}

export function print(figures: Figure[]): void {
  for (const line of columns(figures.map(({ metric, value, limit }) => [metric, value, limit]))) console.log(line);
}

/** Rows of cells as lines: the first and the last to the left, the others to the right. */
export function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at > 0 && at < row.length - 1 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const ms = (value: number, digits = 2): string => `${value.toFixed(digits)} ms`;
