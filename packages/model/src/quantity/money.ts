/** An amount for people, to the tenth of a thousandth: `0.25 EUR`. */
export function formatMoney(amount: number, currency: string): string {
  return `${Number(amount.toFixed(4))} ${currency}`;
}
