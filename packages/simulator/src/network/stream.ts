import type { Door } from '../engines/door.ts';
import type { World } from '../world.ts';
import { toHttpError } from './errors.ts';
import type { Client, Server } from './network.ts';

/** The server's end of a stream of events. */
export interface Wire {
  /** Nobody is at the other end any more, as far as the server knows. */
  readonly isGone: boolean;
  send(event: string, data: unknown): void;
  close(): void;
  onGone(callback: () => void): void;
}

export interface StreamHandlers {
  event(name: string, data: unknown): void;
  /** It is over, with the reason when the server has given one. */
  down(error: Error | undefined): void;
}

/** A client that hears nothing for this long takes its stream for dead, in milliseconds. */
const deadAfterMs = 45_000;

/** One connection on which a server tells a client things, in order, for as long as both ends are there. */
export class Stream {
  readonly #world: Pick<World, 'kernel' | 'faults' | 'network'>;
  readonly #client: Client;
  readonly #replica: Server;
  readonly #handlers: StreamHandlers;
  readonly #forget: () => void;
  #onGone = (): void => {};
  #serverOpen = true;
  #clientOpen = true;
  /** Nothing gets through any more, and neither end knows. */
  #broken = false;
  /** When the last message arrives: none overtakes another. */
  #lastAt = 0;

  constructor(
    world: Pick<World, 'kernel' | 'faults' | 'network'>,
    client: Client,
    replica: Server,
    handlers: StreamHandlers,
    serve: (door: Door, wire: Wire) => Promise<void>,
  ) {
    this.#world = world;
    this.#client = client;
    this.#replica = replica;
    this.#handlers = handlers;
    this.#forget = replica.onDeath(() => this.#serverDied());
    client.process.onDeath(() => this.close());
    world.network.travel(
      client.place,
      replica.place,
      () => this.#arrive(serve),
      () => this.#endSoon(undefined),
    );
  }

  /** The client goes. */
  close(): void {
    if (!this.#clientOpen) return;
    this.#clientOpen = false;
    if (this.#broken) return;
    const { network } = this.#world;
    network.travel(
      this.#client.place,
      this.#replica.place,
      () => this.#replica.enter(() => this.#leave()),
      () => {},
    );
  }

  #arrive(serve: (door: Door, wire: Wire) => Promise<void>): void {
    const wire: Wire = {
      isGone: false,
      send: (event, data) => this.#send(event, data),
      close: () => this.#closeServer(),
      onGone: (callback) => {
        this.#onGone = callback;
      },
    };
    Object.defineProperty(wire, 'isGone', { get: () => !this.#serverOpen });
    const taken = this.#replica.take((door) => {
      serve(door, wire).catch((error: unknown) => {
        this.#serverOpen = false;
        this.#endSoon(toHttpError(error));
      });
    });
    if (!taken) this.#endSoon(undefined);
  }

  #send(event: string, data: unknown): void {
    if (!this.#serverOpen) return;
    const { faults, network } = this.#world;
    if (faults.strikes('network.half-open', 0.02)) this.#break();
    if (faults.strikes('network.cut', 0.02)) this.#cut();
    if (!this.#broken) this.#carry(network.way(), () => void (this.#clientOpen && this.#handlers.event(event, data)));
  }

  #carry(ms: number, act: () => void): void {
    const { kernel, network } = this.#world;
    const cutMs = network.cutMs(this.#client.place, this.#replica.place);
    // A short cut is made up for by TCP, a long one is the end of the connection.
    if (cutMs > deadAfterMs) return this.#break();
    this.#lastAt = Math.max(this.#lastAt, kernel.elapsed + ms + cutMs);
    kernel.at(this.#lastAt, () => void (this.#broken || this.#client.process.enter(act)));
  }

  /** The server ends it. */
  #closeServer(): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.#forget();
    // A socket tells that it is closed when it is: not while it is being told to.
    this.#world.kernel.after(0, () => this.#replica.enter(() => this.#onGone()));
    this.#endSoon(undefined);
  }

  #leave(): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.#forget();
    this.#onGone();
  }

  #serverDied(): void {
    this.#serverOpen = false;
    if (this.#world.faults.strikes('network.half-open', 0.2)) this.#break();
    else this.#endSoon(undefined);
  }

  /** Both ends hear of the end of the connection. */
  #cut(): void {
    this.#world.kernel.after(this.#world.network.way(), () => this.#replica.enter(() => this.#leave()));
    this.#endSoon(undefined);
  }

  #break(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#world.kernel.after(deadAfterMs, () => this.#client.process.enter(() => this.#end(undefined)));
  }

  #endSoon(error: Error | undefined): void {
    if (!this.#broken) this.#carry(this.#world.network.way(), () => this.#end(error));
  }

  #end(error: Error | undefined): void {
    if (!this.#clientOpen) return;
    this.#clientOpen = false;
    this.#handlers.down(error);
  }
}
