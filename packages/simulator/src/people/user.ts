import { hashOf } from '../agents/key.ts';
import type { FaultKind } from '../faults/kinds.ts';
import { HttpError } from '../network/errors.ts';
import type { System } from '../systems/system.ts';
import type { World } from '../world.ts';
import { Follower } from './follower.ts';
import { Person } from './person.ts';

/** Who has started a run: watches it, gives it what it asks for, and ends it when it is Ready. */
export class User {
  readonly #world: World;
  readonly #system: System;
  readonly #person: Person;
  readonly #followers: Follower[];
  #state = '';
  #ended = false;

  constructor(world: World, system: System, name: string) {
    this.#world = world;
    this.#system = system;
    this.#person = new Person(world, name, system.id);
    const followers = this.#person.random.pick([0, 0, 0, 1, 1, 2]);
    this.#followers = Array.from({ length: followers }, (_, index) => new Follower(world, system.id, `${name} follower ${index + 1}`));
  }

  /** The run is over, and everybody knows. */
  get isDone(): boolean {
    return this.#ended && this.#followers.every(({ isDone }) => isDone);
  }

  get run(): string {
    return this.#system.id;
  }

  start(): void {
    this.#world.checks.runs.watch(this.#system.id, (state) => this.#seen(state));
    this.#person.process.enter(() => void this.#main());
  }

  async #main(): Promise<void> {
    const { process, random } = this.#person;
    await process.sleep(random.between(0, 12_000));
    await this.#attempt('create', (again) => again((door) => door.createRun(this.#system.request)));
    for (const follower of this.#followers) follower.start();
    for (const key of this.#system.userKeys) void this.#give(key);
    void this.#look();
    const { faults } = this.#world;
    if (faults.has('people.cancel')) void this.#later('people.cancel', () => this.#end());
    if (faults.has('people.abort')) void this.#later('people.abort', () => this.#abort('the user is tired'));
    if (faults.has('people.abort')) void this.#later('people.abort', () => this.#abort('the user is angry'));
    if (faults.has('people.intrude')) void this.#later('people.intrude', () => this.#intrude());
    if (faults.has('people.cancel-abort')) void this.#later('people.cancel-abort', () => this.#cancelAbort());
  }

  /** The run has come to a state. */
  #seen(state: string): void {
    const { process, random } = this.#person;
    this.#state = state;
    if (['Done', 'Aborted', 'Cancelled'].includes(state)) this.#ended = true;
    if (state !== 'Ready') return;
    const isLess = [...(this.#world.checks.runOf(this.run)?.instances.values() ?? [])].some(({ dropped }) => dropped);
    // Some go home and forget about it, most of all a run that has got by with less than was wanted.
    const forgets = random.chance(isLess ? 0.3 : 0.02);
    process.after(forgets ? random.between(1_000_000, 1_500_000) : random.longTailed(8000, 40_000), () => void this.#end());
  }

  async #later(kind: FaultKind, act: () => Promise<void>): Promise<void> {
    const { process, random } = this.#person;
    await process.sleep(random.longTailed(40_000, 200_000));
    if (this.#world.faults.strikes(kind, 0.7)) await act();
  }

  async #give(key: string): Promise<void> {
    const { process, random } = this.#person;
    const { parameters } = this.#world.checks;
    const write = async (): Promise<void> => {
      const { number, value } = parameters.writing(this.run, key, false);
      await this.#attempt(`set ${key}`, async (again) => {
        await again((door) => door.write(this.run, key, value));
        parameters.acknowledged(this.run, key, number);
      });
    };
    const measures = random.chance(0.25);
    if (random.chance(0.3)) parameters.contended(this.run, key);
    for (let round = random.whole(1, 2); round > 0; round--) {
      await process.sleep(random.longTailed(15_000, 60_000));
      // Several people may want different things at once.
      await Promise.all(Array.from({ length: parameters.isContended(this.run, key) ? 3 : 1 }, write));
    }
    // A gauge goes on until there is nobody any more who could read it.
    for (let left = 400; measures && left > 0 && !this.#ended; left--) {
      await process.sleep(random.longTailed(this.#state === 'Finalizing' ? 60 : 3000, 20_000));
      await write();
    }
  }

  /** Reads what scripts set, now and then. */
  async #look(): Promise<void> {
    const { process, random } = this.#person;
    const keys = Object.entries(this.#system.request.deployment.nodes).flatMap(([node, { image, multiplicity }]) =>
      multiplicity === 0 ? [] : Object.keys(image.parameters).map((name) => `${node}.1:${name}`),
    );
    for (let rounds = random.whole(0, 6); rounds > 0 && !this.#ended; rounds--) {
      await process.sleep(random.longTailed(12_000, 90_000));
      const key = random.pick(keys);
      if (key === undefined) return;
      const asked = this.#world.checks.parameters.asking(this.run, 'a person', key);
      await this.#attempt(`read ${key}`, async (again) => asked.heard(await again((door) => door.read(this.run, key))));
    }
  }

  async #end(): Promise<void> {
    await this.#attempt('end', async (again) => {
      await again((door) => door.terminate(this.run));
      this.#world.checks.runs.endAcknowledged(this.run);
    });
  }

  async #abort(reason: string): Promise<void> {
    const { runs } = this.#world.checks;
    runs.aborting(this.run, reason);
    await this.#attempt('abort', async (again) => {
      await again((door) => door.abort(this.run, reason));
      runs.abortAcknowledged(this.run);
    });
  }

  async #cancelAbort(): Promise<void> {
    this.#world.checks.runs.cancellingAbort(this.run);
    await this.#attempt('cancel the abort', (again) =>
      again((door) => door.cancelAbort(this.run)).catch((error: unknown) => {
        // The time for its state is over.
        if (!(error instanceof HttpError && error.code === 'PACELINE_CONFLICT')) throw error;
      }),
    );
  }

  /** Somebody who has guessed a secret tries to join. */
  async #intrude(): Promise<void> {
    const { process, random } = this.#person;
    const instance = `${random.pick(Object.keys(this.#system.request.deployment.nodes)) ?? ''}.1`;
    const request = {
      run: this.run,
      instance,
      secret: random.hex(43),
      keyHash: hashOf(random.hex(32)),
      agentVersion: '0',
      nodeVersion: '24',
      bootId: '1',
    };
    try {
      await this.#person.insist((door) => door.join(request));
      this.#world.checks.agents.intruded(`${process.name} as ${instance} of ${this.run}`);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
    }
  }

  /** A run may be over before a wish comes to it, and a key may be one that this run does not have. */
  async #attempt<T>(what: string, act: (again: Person['insist']) => Promise<T>): Promise<void> {
    const { trace, checks } = this.#world;
    trace?.add(this.#person.process.name, what);
    try {
      await act((ask) => this.#person.insist(ask));
      trace?.add(this.#person.process.name, `${what}: done`);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      trace?.add(this.#person.process.name, `${what}: ${error.code} ${error.message}`);
      if (error.code !== 'PACELINE_RUN_ENDED' && error.code !== 'PACELINE_NOT_FOUND')
        checks.fail('a request that is right is not refused', `${what} of ${this.run}: ${error.code} ${error.message}`);
    }
  }
}
