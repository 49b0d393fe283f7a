const pattern = /^pla_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_/;

/** The run that an agent's key says it is of: `pla_<run>_<random>`. Says nothing of whether it is right. */
export function runOfKey(key: string): string | undefined {
  return pattern.exec(key)?.[1];
}
