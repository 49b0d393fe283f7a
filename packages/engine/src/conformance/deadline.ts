/** A signal that is aborted, with an error that says so, when its time is over. It keeps the process from ending until it is disposed of. */
export interface Deadline extends Disposable {
  signal: AbortSignal;
}

/** @param what took so long, in a message */
export function deadlineIn(ms: number, what: string): Deadline {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(new Error(`${what} longer than ${ms} ms`)), ms);
  return { signal: aborter.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Waits no longer than until the signal is aborted, whatever becomes of the work. @throws the signal's reason */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
