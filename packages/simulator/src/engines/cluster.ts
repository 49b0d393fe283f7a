import type { Random } from '../kernel/random.ts';
import type { World } from '../world.ts';
import { Replica, type Installation } from './replica.ts';

/** The hosts of the engine. On each there is one process after the other: who ends is started again. */
export class Cluster {
  readonly #world: World;
  readonly #random: Random;
  readonly #installation: Installation = { key: Buffer.alloc(32, 7), reports: new Map() };
  readonly #places: string[];
  readonly #replicas = new Map<string, Replica>();
  /** The replica that answered for a run last. */
  readonly #liked = new Map<string, Replica>();
  #started = 0;

  constructor(world: World, size: number) {
    this.#world = world;
    this.#random = world.random.fork('cluster');
    this.#places = Array.from({ length: size }, (_, index) => `engine${index + 1}`);
  }

  get key(): Buffer {
    return this.#installation.key;
  }

  start(): void {
    for (const place of this.#places) this.#world.kernel.after(this.#random.between(0, 300), () => this.#start(place));
  }

  /** Those that are there now. */
  get replicas(): Replica[] {
    return [...this.#replicas.values()].filter(({ process }) => !process.isDead);
  }

  /** Whom a client's next request goes to: mostly who has the run, as far as the load balancer knows. */
  route(run: string): Replica | undefined {
    const liked = this.#liked.get(run);
    if (liked?.isOpen && !this.#random.chance(0.1)) return liked;
    const open = this.replicas.filter(({ isOpen }) => isOpen);
    return this.#random.pick(open) ?? this.#random.pick(this.replicas);
  }

  /** The replica has answered for the run, or has not. */
  learn(run: string, replica: Replica, isGood: boolean): void {
    if (isGood) this.#liked.set(run, replica);
    else if (this.#liked.get(run) === replica) this.#liked.delete(run);
  }

  #start(place: string): void {
    const { kernel, faults } = this.#world;
    const replica = new Replica(this.#world, place, `${place}.${++this.#started}`, this.#installation);
    this.#replicas.set(place, replica);
    replica.process.onDeath(() => {
      this.#world.trace?.add(replica.process.name, 'is gone');
      const ms = faults.healed ? this.#random.between(200, 1000) : this.#random.longTailed(3000, 40_000);
      kernel.after(ms, () => this.#start(place));
    });
    replica.start();
  }
}
