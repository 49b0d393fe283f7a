import { isConnectorError, type ConnectorContext } from '@paceline/engine/connector';
import type { Host } from './inventory.ts';

/** A host that has not answered for so long, in milliseconds, is taken for lost; its leases end by themselves. */
const patienceMs = 10 * 60_000;

/** Which hosts answer, as far as this process has seen. */
export class HostHealth {
  /** Since when a host has not answered. */
  readonly #silentSince = new Map<string, number>();

  /** Notes how a question to a host went, and tells people when that changes. */
  async watch<T>(host: Host, context: ConnectorContext, question: () => Promise<T>): Promise<T> {
    try {
      const answer = await question();
      if (this.#silentSince.delete(host.name)) {
        context.log.info(`the host ${host.name} answers again`);
      }
      return answer;
    } catch (error) {
      if (isSilence(error) && !context.signal.aborted) this.note(host, `${error.message}; it gets no machines until it does`, context);
      throw error;
    }
  }

  /** Notes that nobody knows what is on a host, and tells people why, once. */
  note({ name }: Pick<Host, 'name'>, why: string, context: ConnectorContext): void {
    if (this.#silentSince.has(name)) return;
    this.#silentSince.set(name, context.now());
    context.log.warn(why);
  }

  /** It has not answered for so long that nobody should wait for it. */
  isLost(host: Pick<Host, 'name'>, now: number): boolean {
    const since = this.#silentSince.get(host.name);
    return since !== undefined && now - since >= patienceMs;
  }

  silentSince(host: Pick<Host, 'name'>): Date | undefined {
    const since = this.#silentSince.get(host.name);
    return since === undefined ? undefined : new Date(since);
  }
}

/** The host could not be asked: what it would have said nobody knows. */
export function isSilence(error: unknown): error is Error {
  return isConnectorError(error) && ['unavailable', 'timeout', 'forbidden', 'auth'].includes(error.code);
}
