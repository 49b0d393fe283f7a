import { PacelineError } from '@paceline/model';

/** @throws PACELINE_REQUEST_INVALID */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `${option}: '${text}' is not a whole number from ${least} to ${most}`);
}
