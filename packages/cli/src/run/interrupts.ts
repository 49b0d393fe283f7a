const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Whether somebody has asked to stop. */
  readonly asked: boolean;
  stop(): void;
}

/**
 * Two ways to stop: the first signal asks to clean up, the second to leave at once. A terminal that is closed asks once.
 * @param source the process; given in tests
 */
export function listenForInterrupts(
  onFirst: () => void,
  onSecond: () => void,
  source: Pick<NodeJS.Process, 'on' | 'off'> = process,
): Interrupts {
  let asked = false;
  const heard = (): void => {
    if (asked) return onSecond();
    asked = true;
    onFirst();
  };
  for (const signal of signals) source.on(signal, heard);
  return {
    get asked() {
      return asked;
    },
    stop() {
      for (const signal of signals) source.off(signal, heard);
    },
  };
}
