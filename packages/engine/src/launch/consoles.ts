import type { Clock } from '../clock.ts';
import { hasJoined, type Instance } from '../run/instance.ts';
import type { Decision } from '../run/change.ts';
import type { CloudCalls } from './cloud-calls.ts';
import { lastWordsSaid } from './last-words.ts';

/** So many are shown at a time: machines that cost are not kept for what all of them say alike. */
const mostShown = 10;
/** How long all of it may take, in milliseconds. */
const limitMs = 20_000;

/** Shows what machines that have never called wrote to their consoles, which go with them. Each is shown once. */
export class Consoles {
  readonly #clouds: CloudCalls;
  readonly #clock: Clock;
  readonly #report: (decisions: readonly Decision[]) => Promise<void>;
  readonly #shown = new Set<string>();

  constructor(clouds: CloudCalls, clock: Clock, report: (decisions: readonly Decision[]) => Promise<void>) {
    this.#clouds = clouds;
    this.#clock = clock;
    this.#report = report;
  }

  async show(instances: readonly Instance[]): Promise<void> {
    const silent = instances.filter((instance) => !hasJoined(instance) && !this.#shown.has(instance.machine.id ?? ''));
    const shown = Promise.all(silent.slice(0, mostShown).map((instance) => this.#show(instance)));
    const late = Promise.withResolvers<void>();
    const cancel = this.#clock.after(limitMs, late.resolve);
    await Promise.race([shown, late.promise]);
    cancel();
  }

  async #show(instance: Instance): Promise<void> {
    const { id, cloud } = instance.machine;
    if (id === null) return;
    this.#shown.add(id);
    await this.#report([lastWordsSaid(instance, await this.#clouds.lastWords(cloud, id))]);
  }
}
