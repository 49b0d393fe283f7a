/** One line of the printed table: what was measured, how much, and what limits it. */
export interface Figure {
  metric: string;
  value: string;
  limit: string;
}

export function print(figures: Figure[]): void {
  const width = (pick: (figure: Figure) => string): number => Math.max(...figures.map((figure) => pick(figure).length));
  const [metric, value] = [width((figure) => figure.metric), width((figure) => figure.value)];
  for (const figure of figures) console.log(`${figure.metric.padEnd(metric)}  ${figure.value.padStart(value)}  ${figure.limit}`);
}

export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const ms = (value: number, digits = 2): string => `${value.toFixed(digits)} ms`;
