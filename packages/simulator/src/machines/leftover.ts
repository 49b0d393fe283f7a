import { Process } from '../kernel/process.ts';
import type { World } from '../world.ts';
import type { Host } from './host.ts';

/** A process that a script has left behind: it computes, sets one value, and ends. */
export class Leftover {
  readonly process: Process;
  /** The work that its script was of. */
  readonly seq: number;
  readonly #world: World;
  readonly #host: Host;
  readonly #key: string;

  constructor(world: World, host: Host, seq: number, key: string) {
    this.#world = world;
    this.#host = host;
    this.seq = seq;
    this.#key = key;
    const { config } = host.disk;
    this.process = new Process(world.kernel, `${config.instance} for ${key}`);
    this.process.onDeath(() => world.checks.scripts.computing(config, -1));
    world.checks.scripts.computing(config, 1);
  }

  /** @param ms how long it computes, in milliseconds */
  start(ms: number): void {
    this.#world.trace?.add(this.process.name, 'is left behind');
    this.process.after(ms, () => void this.#set().finally(() => this.process.kill()));
  }

  async #set(): Promise<void> {
    const { run } = this.#host.disk.config;
    const key = this.#key;
    const { parameters } = this.#world.checks;
    const { number, value } = parameters.writing(run, key, false);
    const result = await this.#host.command(this.process, (agent) =>
      agent.ops.send({ op: 'set', key, value, secret: false, ignoreAbort: false }),
    );
    if (result.status !== 'error') parameters.acknowledged(run, key, number);
  }
}
