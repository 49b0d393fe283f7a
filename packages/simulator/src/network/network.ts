import type { Door } from '../engines/door.ts';
import type { Replica } from '../engines/replica.ts';
import type { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import type { World } from '../world.ts';
import { LinkError, toHttpError } from './errors.ts';

/** An engine, as far as the network knows it. */
export type Server = Pick<Replica, 'place' | 'take' | 'onDeath' | 'enter'>;

/** Who calls an engine, and from where. */
export interface Client {
  process: Process;
  /** The id of a machine, or `people`. */
  place: string;
}

const requestTimeoutMs = 60_000;

/** The network between machines, people and engines: requests and their answers. */
export class Network {
  readonly #world: Pick<World, 'kernel' | 'random' | 'faults'>;
  readonly #random: Random;
  /** Places that nothing reaches and nothing leaves, and until when, in milliseconds since the beginning. */
  readonly #cutOff = new Map<string, number>();

  constructor(world: Pick<World, 'kernel' | 'random' | 'faults'>) {
    this.#world = world;
    this.#random = world.random.fork('network');
  }

  /** @param until in milliseconds since the beginning */
  cutOff(place: string, until: number): void {
    this.#cutOff.set(place, until);
  }

  /** Everybody can reach everybody. */
  heal(): void {
    this.#cutOff.clear();
  }

  /** @returns the milliseconds until the two can reach each other */
  cutMs(one: string, other: string): number {
    return Math.max(0, Math.max(this.#cutOff.get(one) ?? 0, this.#cutOff.get(other) ?? 0) - this.#world.kernel.elapsed);
  }

  /** How long a message takes, in milliseconds. */
  way(): number {
    const usual = this.#random.longTailed(8, 300);
    return this.#world.faults.strikes('network.delay', 0.08) ? usual + this.#random.longTailed(5000, 50_000) : usual;
  }

  /** Sends a request. @param again a duplicate of it may come, as one of a client that was cut off */
  call<T>(client: Client, replica: Server, serve: (door: Door) => Promise<T>, again = true): Promise<T> {
    const { kernel, faults } = this.#world;
    const answer = client.process.answer<T>();
    const giveUp = kernel.after(requestTimeoutMs, () => answer.reject(new LinkError('no answer for 60 s')));
    const lost = (why: string): void => {
      // Some losses are noticed at once, others only by the silence.
      if (this.#random.chance(0.6)) kernel.after(this.way(), () => fail(new LinkError(why)));
    };
    const fail = (error: Error): void => {
      giveUp();
      answer.reject(error);
    };
    const deliver = (isHeard: boolean): void => {
      let open = true;
      let forget = (): void => {};
      const reply = (act: () => void): void => {
        if (!open) return;
        open = false;
        forget();
        if (!isHeard) return;
        if (faults.strikes('network.lost-answer', 0.04)) return lost('the connection broke before the answer came');
        this.travel(replica.place, client.place, act, () => lost('the connection broke before the answer came'));
      };
      forget = replica.onDeath(() => reply(() => fail(new LinkError('the connection was reset'))));
      const taken = replica.take((door) => {
        serve(door).then(
          (value) => reply(() => (giveUp(), answer.resolve(value))),
          (error: unknown) => reply(() => fail(toHttpError(error))),
        );
      });
      if (!taken) reply(() => fail(new LinkError('the connection was refused')));
    };
    const isDoubled = again && faults.strikes('network.duplicate', 0.04);
    if (isDoubled)
      this.travel(
        client.place,
        replica.place,
        () => deliver(false),
        () => {},
        this.#random.longTailed(3000, 40_000),
      );
    if (faults.strikes('network.drop', 0.04)) lost('the connection broke');
    else
      this.travel(
        client.place,
        replica.place,
        () => deliver(true),
        () => lost('the connection broke'),
      );
    return answer.promise;
  }

  /** Brings something from one place to another; what is on its way when they are parted comes later, or never. */
  travel(from: string, to: string, arrive: () => void, vanish: () => void, extraMs = 0): void {
    const { kernel } = this.#world;
    kernel.after(this.way() + extraMs, () => {
      const cutMs = this.cutMs(from, to);
      if (cutMs === 0) arrive();
      else if (this.#random.chance(0.5)) kernel.after(cutMs + this.way(), arrive);
      else vanish();
    });
  }
}
