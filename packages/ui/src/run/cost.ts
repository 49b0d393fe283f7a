import type { RunDetail } from '@paceline/api';

/**
 * What the machines that a run has at this moment cost for an hour, as far as their clouds say so: `1.20 EUR and 0.30 USD`. It says
 * `at least` when there are machines whose price nobody knows; undefined when that is so of all of them.
 */
export function hourlyCost({ nodes, instances }: Pick<RunDetail, 'nodes' | 'instances'>): string | undefined {
  const pricesOf = new Map(nodes.map(({ name, prices }) => [name, prices]));
  const there = instances.filter(({ stage }) => stage !== 'wanted' && stage !== 'gone');
  const prices = there.map(({ node, cloud }) => pricesOf.get(node)?.[cloud]);
  const totals = new Map<string, number>();
  for (const price of prices) if (price !== undefined) totals.set(price.currency, (totals.get(price.currency) ?? 0) + price.amount);
  if (totals.size === 0) return undefined;
  const amounts = [...totals].map(([currency, amount]) => `${amount.toFixed(amount < 0.1 ? 4 : 2)} ${currency}`);
  return `${prices.includes(undefined) ? 'at least ' : ''}${amounts.join(' and ')}`;
}
