import { PacelineError, parseDuration } from '@paceline/model';

/** A duration that a user has written, in milliseconds. @param where the option or input @throws PACELINE_REQUEST_INVALID */
export function durationOf(where: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `${where}: '${text}' is not a duration`, { hint: 'Write it as 90s, 30m or 1h30m.' });
}
