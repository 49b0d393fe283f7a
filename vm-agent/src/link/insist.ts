import type { Backoff } from '../backoff.ts';
import { HttpError, isFinal } from './http.ts';

export interface Insistence {
  backoff: Backoff;
  signal: AbortSignal;
  /** Refusals after which trying again is of no use, besides those of a lost credential. */
  final: (error: HttpError) => boolean;
  log?: (line: string) => void;
}

/** Try until it works: a network or an engine that is away comes back. */
export async function insist<T>(attempt: () => Promise<T>, { backoff, signal, final, log }: Insistence): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const answer = error instanceof HttpError ? error : undefined;
      if (signal.aborted || isFinal(error) || (answer && final(answer))) throw error;
      log?.((error as Error).message);
      await backoff.wait(answer?.retryAfter, signal);
    }
  }
}
