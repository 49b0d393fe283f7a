const unitBytes = {
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
} as const;

/** What a size looks like in a module file: `512MiB`, `1GiB`, `1.5 TiB`; decimal units (`GB`) are understood too. */
export const sizePattern = /^(\d+(?:\.\d+)?) ?([MGT]i?B)$/;

/**
 * Reads a size such as `1GiB`.
 * @returns whole units of `unit`, rounded up; undefined when the text is not a size or is nothing at all
 */
export function parseSize(text: string, unit: 'MiB' | 'GiB'): number | undefined {
  const [, count, written] = sizePattern.exec(text) ?? [];
  if (count === undefined) return undefined;
  const size = Math.ceil((Number(count) * unitBytes[written as keyof typeof unitBytes]) / unitBytes[unit]);
  return size > 0 && Number.isSafeInteger(size) ? size : undefined;
}

/** What the writer of a wrong size most likely meant (`4G` → `4GiB`, `512mb` → `512MiB`). */
export function guessSize(text: string): string | undefined {
  const [, count, letter] = /^(\d+(?:\.\d+)?)\s*([mgt])(?:i?b)?$/i.exec(text) ?? [];
  return count === undefined || letter === undefined ? undefined : `${count}${letter.toUpperCase()}iB`;
}
