import { expect, test } from 'vitest';
import { paint } from '@paceline/door';
import { estimateLines } from './estimate.ts';

const plain = (lines: ReturnType<typeof estimateLines>): string =>
  lines.map((line) => paint(line, { colour: false, unicode: true })).join('\n');

test('costs for an hour and for the whole lifetime, with what is not known', () => {
  const shares = [
    { node: 'web', cloud: 'lab', count: 3, offer: 'm1.small', price: { amount: 0.3, currency: 'EUR' } },
    { node: 'db', cloud: 'here', count: 1, offer: null, price: null },
  ];
  const lines = estimateLines(
    { shares, perHour: { EUR: 0.3 }, unpriced: 1, problems: ['1.2 EUR in all are more than the 1 EUR of the budget of the run'] },
    { lifetimeMs: 4 * 3_600_000, budgets: [{ of: 'the run', currency: 'EUR', perHour: 0.5, total: 1, knownPrices: true }] },
  );
  expect(plain(lines)).toMatchInlineSnapshot(`
    "
    Costs
      web: 3 × m1.small on lab, 0.3 EUR an hour
      db: 1 × machine on here, price unknown
      In all 0.3 EUR an hour, 1.2 EUR for a lifetime of 4h, and 1 machine of unknown price
      Budget: 0.5 EUR an hour, 1 EUR in all, known prices in EUR only
      1.2 EUR in all are more than the 1 EUR of the budget of the run"
  `);
  expect(plain(estimateLines({ shares: shares.slice(1), perHour: {}, unpriced: 1, problems: [] }, { lifetimeMs: 3_600_000 })))
    .toMatchInlineSnapshot(`
    "
    Costs
      db: 1 × machine on here, price unknown
      In all 1 machine of unknown price"
  `);
});
