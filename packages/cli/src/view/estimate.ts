import { harmlessLine, type Line } from '@paceline/door';
import { formatDuration, type RunEstimate } from '@paceline/model';

const hourMs = 3_600_000;

/** What a run would cost, for people. */
export function estimateLines({ shares, perHour, unpriced, problems }: RunEstimate, lifetimeMs: number): Line[] {
  const amounts = Object.entries(perHour).map(([currency, amount]) => ({ currency, amount }));
  const total = amounts.map(({ currency, amount }) => money(amount, currency)).join(' and ');
  const whole = amounts.map(({ currency, amount }) => money((amount * lifetimeMs) / hourMs, currency)).join(' and ');
  const rest =
    unpriced === 0 ? '' : `${total === '' ? '' : ', and '}${unpriced} ${unpriced === 1 ? 'machine' : 'machines'} of unknown price`;
  return [
    [''],
    ['Costs'],
    ...shares.map(({ node, cloud, count, offer, price }): Line => {
      const size = offer === null ? 'machine' : harmlessLine(offer);
      return [
        `  ${node}: ${count} × ${size} on ${harmlessLine(cloud)}, ${price === null ? 'price unknown' : `${money(price.amount, price.currency)} an hour`}`,
      ];
    }),
    [`  In all ${total === '' ? '' : `${total} an hour, ${whole} for a lifetime of ${formatDuration(lifetimeMs)}`}${rest}`],
    ...problems.map((problem): Line => [['bold', `  ${harmlessLine(problem)}`]]),
  ];
}

function money(amount: number, currency: string): string {
  return `${Number(amount.toFixed(4))} ${currency}`;
}
