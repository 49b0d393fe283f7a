const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

/** What a duration looks like in a module file: `30m`, `4h`, `1h30m`, `90s`, `2d`. */
export const durationPattern = /^(?=\d)(\d+d)?(\d+h)?(\d+m(?!s))?(\d+s)?(\d+ms)?$/;

/**
 * Reads a duration such as `1h30m`.
 * @returns milliseconds, or undefined when the text is not a duration, is zero, or is longer than ten years
 */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[dhms])/g)) total += Number(count) * unitMs[unit as Unit];
  return total > 0 && total <= 3650 * unitMs.d ? total : undefined;
}

/** Milliseconds in the notation of module files: `5400000` is `1h30m`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / unitMs[unit]);
    rest -= count * unitMs[unit];
    if (count > 0) text += `${count}${unit}`;
  }
  return text || '0s';
}
