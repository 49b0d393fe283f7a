import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { OpsQueue } from '../link/ops.ts';
import type { Masker } from './mask.ts';
import { Tail } from './tail.ts';

export type Stream = 'stdout' | 'stderr';

export interface OutputOptions {
  folder: string;
  masker: Masker;
  ops: Pick<OpsQueue, 'send' | 'logRoom'>;
  clock: Clock;
}

/** Output that waits to be sent before reading stops, in characters. */
const room = 256 * 1024;

/** The output files that are being sent home, all in one folder: one watch does for all. */
export class Output {
  readonly #options: OutputOptions;
  readonly #tails = new Map<string, Tail>();
  #watcher: FSWatcher | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** @param from bytes that the engine already has */
  follow(source: string, stream: Stream, from: number): Tail {
    const known = this.#tails.get(source);
    if (known) return known;
    const { folder, masker, ops, clock } = this.#options;
    const tail = new Tail({
      file: join(folder, source),
      name: source,
      from,
      masker,
      room: () => ops.logRoom(room),
      send: (chunk) => ops.send({ op: 'log', source, stream, ...chunk, at: new Date(clock.now()).toISOString() }),
    });
    this.#tails.set(source, tail);
    this.#watch();
    return tail;
  }

  /** Resolves when the engine has all of it. */
  async finish(source: string): Promise<void> {
    await this.#tails.get(source)?.finish();
    this.#tails.delete(source);
    if (this.#tails.size === 0) this.#unwatch();
  }

  /** Resolves when the engine has all that is written by now. */
  async drain(): Promise<void> {
    await Promise.all([...this.#tails.values()].map((tail) => tail.finish()));
  }

  stop(): void {
    this.#unwatch();
    for (const tail of this.#tails.values()) tail.stop();
  }

  #watch(): void {
    if (this.#timer) return;
    let pause = 1000;
    try {
      this.#watcher = watch(this.#options.folder, (_, name) => {
        if (name === null) this.#kickAll();
        else this.#tails.get(name)?.kick();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // No watches left on this machine: look often.
      pause = 50;
    }
    this.#timer = setInterval(() => this.#kickAll(), pause);
    this.#timer.unref();
  }

  #unwatch(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #kickAll(): void {
    for (const tail of this.#tails.values()) tail.kick();
  }
}
