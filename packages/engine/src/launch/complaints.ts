import { isPacelineError } from '@paceline/model';
import type { ConnectorError } from '../connector/index.ts';
import type { Change } from '../run/change.ts';

/** Failures in a row after which it is said: one happens to every cloud. */
const patience = 2;

/** Says in a run what its cloud does not do, once for each reason, as long as it is tried again. */
export class Complaints {
  readonly #failures = new Map<string, number>();
  readonly #told = new Set<string>();

  /** @param key of the call, for failures in a row */
  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** @returns the failures in a row of a call */
  inARow(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** @param doing what the cloud does not do, as in `launch machines` */
  failed(key: string, cloud: string, doing: string, error: ConnectorError, now: number): Change[] {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    // A cloud that is left alone for a while says so in front of the reason, each time with another number.
    const { cause, hint } = error.details;
    const reason = error.details.untouched === true && cause instanceof Error ? cause.message : error.message;
    const news = `${cloud} ${doing} ${reason}`;
    if (failures < patience || error.code === 'throttled' || this.#told.has(news)) return [];
    this.#told.add(news);
    const message = `${cloud} does not ${doing}: ${reason}${hint === undefined ? '' : ` (${hint})`}. It is tried again.`;
    const data = { cloud, ...(isPacelineError(cause) && { code: cause.code }) };
    return [{ kind: 'event', at: now, body: { type: 'cloud.failing', severity: 'warning', message, data } }];
  }
}
