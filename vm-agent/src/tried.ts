/** Undefined when it throws: for what may well not be possible, whatever the reason. */
export function tried<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
