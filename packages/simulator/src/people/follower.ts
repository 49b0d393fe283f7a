import type { RunEvent } from '@paceline/engine';
import type { Followed } from '../checks/feeds.ts';
import { Stream } from '../network/stream.ts';
import type { World } from '../world.ts';
import { Person } from './person.ts';

/** Follows the events of a run to its end, and goes on from where it was whenever its stream breaks. */
export class Follower {
  readonly #world: World;
  readonly #run: string;
  readonly #person: Person;
  #done = false;

  constructor(world: World, run: string, name: string) {
    this.#world = world;
    this.#run = run;
    this.#person = new Person(world, name, run);
  }

  /** It has seen the end. */
  get isDone(): boolean {
    return this.#done;
  }

  start(): void {
    const followed = this.#world.checks.feeds.following(this.#run);
    this.#person.process.enter(() => void this.#follow(followed));
  }

  async #follow(followed: Followed): Promise<void> {
    const { process, random } = this.#person;
    while (!this.#done) {
      await this.#connection(followed);
      this.#world.trace?.add(process.name, `is at ${followed.cursor}`);
      const run = this.#world.checks.runOf(this.#run);
      this.#done = run !== undefined && run.facts.endedAt !== null && followed.cursor === run.events.length;
      if (!this.#done) await process.sleep(random.between(500, 3000));
    }
  }

  #connection(followed: Followed): Promise<void> {
    const { cluster, checks } = this.#world;
    const replica = cluster.route(this.#run);
    return new Promise((resolve) => {
      if (replica === undefined) return resolve();
      const cancel = this.#person.process.after(60_000, () => end());
      const stream = new Stream(
        this.#world,
        this.#person.client,
        replica,
        {
          event: (name, data) => {
            cancel();
            if (name === 'event') checks.feeds.came(followed, data as RunEvent);
            else if (name === 'end') end();
          },
          down: () => end(),
        },
        (door, wire) => door.events(this.#run, followed.cursor, wire),
      );
      const end = (): void => {
        cancel();
        stream.close();
        resolve();
      };
    });
  }
}
