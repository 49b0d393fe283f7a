import type { Door } from '../engines/door.ts';
import type { Replica } from '../engines/replica.ts';
import { Process } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';
import { HttpError, LinkError } from '../network/errors.ts';
import type { World } from '../world.ts';

/** A program of somebody who uses the engine: it asks, and asks again when it got no answer. */
export class Person {
  readonly process: Process;
  readonly random: Random;
  readonly #world: World;
  readonly #run: string;

  constructor(world: World, name: string, run: string) {
    this.#world = world;
    this.#run = run;
    this.process = new Process(world.kernel, name);
    this.random = world.random.fork(name);
  }

  get client(): { process: Process; place: string } {
    return { process: this.process, place: 'people' };
  }

  /** Asks until there is an answer. @throws HttpError when asking again is of no use */
  async insist<T>(ask: (door: Door) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#ask(ask);
      } catch (error) {
        if (error instanceof HttpError && error.status < 500) throw error;
        await this.process.sleep(this.random.between(300, 3000));
      }
    }
  }

  async #ask<T>(ask: (door: Door) => Promise<T>): Promise<T> {
    const { cluster, network } = this.#world;
    const replica: Replica | undefined = cluster.route(this.#run);
    if (replica === undefined) throw new LinkError('nobody is there');
    try {
      const answer = await network.call(this.client, replica, ask, false);
      cluster.learn(this.#run, replica, true);
      return answer;
    } catch (error) {
      cluster.learn(this.#run, replica, error instanceof HttpError && error.status < 500);
      throw error;
    }
  }
}
