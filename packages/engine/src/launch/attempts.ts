import type { ConnectorError } from '../connector/index.ts';
import { isAmbiguous } from './retry.ts';

/** What is known of the launches of one run, by their tokens: which may have made machines that nobody was told of. */
export class LaunchAttempts {
  /** Launches that may have happened already, and from when on a look-up would show it. A request may even now be on its way. */
  readonly #doubtful = new Map<string, number>();
  /** Those that were looked up since they were tried last. */
  readonly #lookedUp = new Set<string>();
  /** Launches of which the cloud has heard. */
  readonly #heard = new Set<string>();

  /** Whoever was to make it may have ended right after its call. @param visibleAt when a look-up would show it */
  inherited(token: string, visibleAt: number): void {
    this.#heard.add(token);
    this.#doubtful.set(token, visibleAt);
  }

  /** The cloud has made machines of it. */
  succeeded(token: string): void {
    this.#heard.add(token);
  }

  /** The cloud has told of some of its machines only. @param visibleAt when a look-up would show the others */
  incomplete(token: string, visibleAt: number): void {
    this.#doubtful.set(token, visibleAt);
    this.#lookedUp.delete(token);
  }

  /** @param visibleAt when a look-up would show what it has made all the same */
  failed(token: string, { code, details }: ConnectorError, visibleAt: number): void {
    const touched = details.untouched !== true;
    if (touched) this.#heard.add(token);
    if ((touched && isAmbiguous(code)) || this.#doubtful.has(token)) this.#doubtful.set(token, visibleAt);
    this.#lookedUp.delete(token);
  }

  lookedUp(token: string): void {
    this.#lookedUp.add(token);
  }

  isUnclear(token: string): boolean {
    return this.#doubtful.has(token) && !this.#lookedUp.has(token);
  }

  /** From when on a look-up shows what it has made; 0 when there is nothing to look for. */
  visibleAt(token: string): number {
    return this.isUnclear(token) ? (this.#doubtful.get(token) ?? 0) : 0;
  }

  /** Whether there can be anything of it at the cloud. */
  isHeard(token: string): boolean {
    return this.#heard.has(token);
  }
}
