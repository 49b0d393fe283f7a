import { harmlessLine, type Line } from '@paceline/door';
import { formatDuration, formatMoney, type PlannedBudget, type RunEstimate, type RunPlan } from '@paceline/model';

const hourMs = 3_600_000;

/** What a run would cost, for people. */
export function estimateLines(
  { shares, perHour, unpriced, problems }: RunEstimate,
  { lifetimeMs, budgets = [] }: Pick<RunPlan, 'lifetimeMs' | 'budgets'>,
): Line[] {
  const amounts = Object.entries(perHour).map(([currency, amount]) => ({ currency, amount }));
  const total = amounts.map(({ currency, amount }) => formatMoney(amount, currency)).join(' and ');
  const whole = amounts.map(({ currency, amount }) => formatMoney((amount * lifetimeMs) / hourMs, currency)).join(' and ');
  const rest =
    unpriced === 0 ? '' : `${total === '' ? '' : ', and '}${unpriced} ${unpriced === 1 ? 'machine' : 'machines'} of unknown price`;
  return [
    [''],
    ['Costs'],
    ...shares.map(({ node, cloud, count, offer, price }): Line => {
      const size = offer === null ? 'machine' : harmlessLine(offer);
      return [
        `  ${node}: ${count} × ${size} on ${harmlessLine(cloud)}, ${price === null ? 'price unknown' : `${formatMoney(price.amount, price.currency)} an hour`}`,
      ];
    }),
    [`  In all ${total === '' ? '' : `${total} an hour, ${whole} for a lifetime of ${formatDuration(lifetimeMs)}`}${rest}`],
    ...budgets.map((budget): Line => [`  Budget: ${limitsOf(budget).join(', ')}`]),
    ...problems.map((problem): Line => [['bold', `  ${harmlessLine(problem)}`]]),
  ];
}

function limitsOf({ currency, perHour, total, knownPrices }: PlannedBudget): string[] {
  return [
    ...(perHour === undefined ? [] : [`${formatMoney(perHour, currency)} an hour`]),
    ...(total === undefined ? [] : [`${formatMoney(total, currency)} in all`]),
    ...(knownPrices === true ? [`known prices in ${currency} only`] : []),
  ];
}
