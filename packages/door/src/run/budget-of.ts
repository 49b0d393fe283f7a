import { budget, PacelineError, type Budget } from '@paceline/model';

/**
 * A budget that a user has written: `10EUR` in all, `2EUR/h`, or both.
 * @param where the option or input
 * @param knownPrices machines of unknown price are refused
 * @returns undefined when nothing is written
 * @throws PACELINE_REQUEST_INVALID
 */
export function budgetOf(where: string, texts: readonly string[], knownPrices = false): Budget | undefined {
  if (texts.length === 0 && !knownPrices) return undefined;
  const limits = texts.map((text) => {
    const [, amount, currency = '', hour] = /^(\d+(?:\.\d+)?) ?([A-Z]{3})(\/h)?$/.exec(text) ?? [];
    if (amount === undefined) throw invalid(`${where}: '${text}' is no budget`);
    return { currency, [hour === undefined ? 'total' : 'perHour']: Number(amount) };
  });
  const currencies = new Set(limits.map(({ currency }) => currency));
  if (currencies.size !== 1) throw invalid(`${where}: a budget is in one currency, not in ${currencies.size}`);
  const parsed = budget.safeParse({ ...Object.assign({}, ...limits), ...(knownPrices && { knownPrices }) });
  if (!parsed.success || limits.length > Object.keys(parsed.data).length - (knownPrices ? 2 : 1))
    throw invalid(`${where}: '${texts.join(' ')}' is no budget`);
  return parsed.data;
}

function invalid(message: string): PacelineError {
  return new PacelineError('PACELINE_REQUEST_INVALID', message, { hint: 'Write it as 10EUR for all of it, 2EUR/h for an hour, or both.' });
}
