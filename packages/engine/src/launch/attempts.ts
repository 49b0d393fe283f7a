import type { ConnectorError } from '../connector/index.ts';
import { isAmbiguous } from './retry.ts';

/** What is known of the launches of one run, by their tokens: which may have made machines that nobody was told of. */
export class LaunchAttempts {
  /** Launches that may have happened already, and from when on a look-up would show it. */
  readonly #unclear = new Map<string, number>();
  /** Launches of which the cloud has heard. */
  readonly #heard = new Set<string>();

  /** Whoever was to make it may have ended right after its call. @param visibleAt when a look-up would show it */
  inherited(token: string, visibleAt: number): void {
    this.#heard.add(token);
    this.#unclear.set(token, visibleAt);
  }

  /** The cloud has made machines of it. */
  succeeded(token: string): void {
    this.#heard.add(token);
  }

  /** @param visibleAt when a look-up would show what it has made all the same */
  failed(token: string, { code, details }: ConnectorError, visibleAt: number): void {
    if (details.untouched === true) return;
    this.#heard.add(token);
    if (isAmbiguous(code)) this.#unclear.set(token, visibleAt);
  }

  lookedUp(token: string): void {
    this.#unclear.delete(token);
  }

  isUnclear(token: string): boolean {
    return this.#unclear.has(token);
  }

  /** From when on a look-up shows what it has made; 0 when there is nothing to look for. */
  visibleAt(token: string): number {
    return this.#unclear.get(token) ?? 0;
  }

  /** Whether there can be anything of it at the cloud. */
  isHeard(token: string): boolean {
    return this.#heard.has(token);
  }
}
