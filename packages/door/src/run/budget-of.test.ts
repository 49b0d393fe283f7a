import { expect, test } from 'vitest';
import { budgetOf } from './budget-of.ts';

test('a budget is what is written of it', () => {
  expect(budgetOf('--budget', [])).toBeUndefined();
  expect(budgetOf('--budget', ['10EUR'])).toEqual({ currency: 'EUR', total: 10 });
  expect(budgetOf('--budget', ['0.5 USD/h', '12.75USD'], true)).toEqual({ currency: 'USD', perHour: 0.5, total: 12.75, knownPrices: true });
});

test.each([[['ten']], [['10']], [['10eur']], [['0EUR']], [['-1EUR']], [['1EUR/d']], [['1EUR', '2USD/h']], [['1EUR', '2EUR']]])(
  '%j is none',
  (texts) => {
    expect(() => budgetOf('--budget', texts)).toThrow(
      expect.objectContaining({ code: 'PACELINE_REQUEST_INVALID', message: expect.stringMatching(/^--budget: /) }),
    );
  },
);

test('that prices are to be known needs a currency that they are known in', () => {
  expect(() => budgetOf('--budget', [], true)).toThrow('a budget is in one currency');
});
