import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { checkAborted, hasCode } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';

const messageSchema = z.looseObject({
  id: z.number().optional(),
  return: z.unknown().optional(),
  error: z.object({ desc: z.string() }).optional(),
  event: z.string().optional(),
  data: z.looseObject({ device: z.string().optional(), error: z.string().optional() }).optional(),
});

type Message = z.output<typeof messageSchema>;

/** A conversation with the emulator of a machine that runs. It has one at a time: others wait until this one is over. */
export class Monitor {
  readonly #socket: Socket;
  readonly #doing: string;
  readonly #lines: AsyncIterator<string>;
  readonly #events: Message[] = [];
  #asked = 0;

  private constructor(socket: Socket, doing: string) {
    this.#socket = socket;
    this.#doing = doing;
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  /**
   * @param machine its directory
   * @param doing what for, for messages: `copy the disk of a machine`
   * @returns undefined when there is no such machine running
   * @throws ConnectorError timeout when it was given up, unavailable when the machine ends meanwhile, and what `talk` throws
   */
  static async talk<T>(
    machine: string,
    doing: string,
    signal: AbortSignal,
    talk: (monitor: Monitor) => Promise<T>,
  ): Promise<T | undefined> {
    checkAborted(signal, doing);
    let socket: Socket | undefined;
    const giveUp = (): void => void socket?.destroy(new ConnectorError('timeout', `Gave up to ${doing}`));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await using directory = await open(machine);
      // By the descriptor of its directory: the path of a socket has room for about 100 bytes only.
      socket = connect({ path: `/proc/self/fd/${directory.fd}/control` });
      await once(socket, 'connect');
      const monitor = new Monitor(socket, doing);
      await monitor.ask('qmp_capabilities');
      return await talk(monitor);
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) return undefined;
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
      socket?.destroy();
    }
  }

  /** @throws ConnectorError with what QEMU says of it, `capacity` where there is no room */
  async ask(execute: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const id = ++this.#asked;
    this.#socket.write(`${JSON.stringify({ execute, arguments: args, id })}\n`);
    for (;;) {
      const message = await this.#hear();
      if (message.event !== undefined) this.#events.push(message);
      if (message.id !== id) continue;
      if (message.error !== undefined) throw this.failure(message.error.desc);
      return message.return;
    }
  }

  /** Something that happens, or has happened since the conversation began. @param heard makes something of what is waited for */
  async event<T>(heard: (event: string, data: NonNullable<Message['data']>) => T | undefined): Promise<T> {
    for (;;) {
      const { event, data = {} } = this.#events.shift() ?? (await this.#hear());
      const found = event === undefined ? undefined : heard(event, data);
      if (found !== undefined) return found;
    }
  }

  /** What QEMU has said, as an error. */
  failure(said: string): ConnectorError {
    return new ConnectorError(/no space left/i.test(said) ? 'capacity' : 'internal', `QEMU could not ${this.#doing}: ${said}`);
  }

  async #hear(): Promise<Message> {
    const next = await this.#lines.next();
    if (next.done === true)
      throw new ConnectorError('unavailable', `The machine ended, or nobody answered there: could not ${this.#doing}`);
    return messageSchema.parse(JSON.parse(next.value));
  }
}
