import { wholeCharacters } from '@paceline/connector-host';
import { isConnectorError } from '@paceline/engine/connector';
import { instanceSchema } from './answer.ts';
import type { Client } from './client.ts';

/** What is kept of a console in bytes; its beginning goes first. */
const keptBytes = 1024 * 1024;

interface Kept {
  /** How many bytes came before. */
  from: number;
  bytes: Buffer;
}

/**
 * The consoles of machines. LXD hands out what a running container has written once, to whoever asks first, so that is kept here; of one
 * that has stopped it gives the whole.
 */
export class Consoles {
  readonly #client: Client;
  readonly #kept = new Map<string, Kept>();

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * What the machine has written to its console, from the byte `since` on.
   * @throws notFound
   */
  async read(id: string, since: number, signal: AbortSignal): Promise<{ text: string; next: number }> {
    const fresh = await this.#fetch(id, signal);
    const before = this.#kept.get(id) ?? { from: 0, bytes: Buffer.alloc(0) };
    const whole = fresh.length > before.bytes.length && fresh.subarray(0, before.bytes.length).equals(before.bytes);
    const bytes = whole ? fresh : Buffer.concat([before.bytes, fresh]);
    const tooMuch = Math.max(0, bytes.length - keptBytes);
    const kept = { from: before.from + tooMuch, bytes: bytes.subarray(tooMuch) };
    this.#kept.set(id, kept);
    const start = Math.max(since, kept.from);
    const text = wholeCharacters(kept.bytes.subarray(start - kept.from));
    return { text: text.toString(), next: start + text.length };
  }

  /** Machines that are gone will not be asked for. */
  forget(ids: readonly string[]): void {
    ids.forEach((id) => this.#kept.delete(id));
  }

  async #fetch(id: string, signal: AbortSignal): Promise<Buffer> {
    const path = `/1.0/instances/${encodeURIComponent(id)}`;
    try {
      return await this.#client.read(`read the console of ${id}`, `${path}/console`, { signal });
    } catch (error) {
      if (!(isConnectorError(error) && /no such file/.test(error.message))) {
        throw error;
      }
      // The machine has written nothing yet, if there is one.
      await this.#client.get(`look up machine ${id}`, path, instanceSchema, { signal });
      return Buffer.alloc(0);
    }
  }
}
