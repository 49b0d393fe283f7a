import { expect, it } from 'vitest';
import { instance, run } from '../testing/fixtures.ts';
import { hourlyCost } from './cost.ts';

const prices = { paris: { amount: 0.05, currency: 'EUR' }, ohio: { amount: 0.3, currency: 'USD' } };
const costOf = (instances: ReturnType<typeof instance>[]): string | undefined => {
  const detail = run(instances);
  return hourlyCost({ ...detail, nodes: detail.nodes.map((node) => ({ ...node, prices })) });
};

it('counts the machines that are there, by currency', () => {
  const [one, two] = [instance('web.1', { cloud: 'paris' }), instance('web.2', { cloud: 'ohio' })];
  expect(costOf([one])).toBe('0.0500 EUR');
  expect(costOf([one, instance('web.3', { cloud: 'paris', stage: 'leaving' }), two])).toBe('0.10 EUR and 0.30 USD');
  expect(costOf([one, instance('web.3', { cloud: 'paris', stage: 'gone' }), instance('web.4', { stage: 'wanted' })])).toBe('0.0500 EUR');
});

it('says when it knows only a part, and nothing when it knows nothing', () => {
  expect(costOf([instance('web.1', { cloud: 'paris' }), instance('web.2')])).toBe('at least 0.0500 EUR');
  expect(costOf([instance('web.1')])).toBeUndefined();
  expect(costOf([])).toBeUndefined();
  expect(hourlyCost(run([instance('web.1')]))).toBeUndefined();
});
