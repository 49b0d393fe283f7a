import { hasJoined, type Instance } from '../run/instance.ts';
import type { Decision } from '../run/change.ts';
import type { CloudCalls } from './cloud-calls.ts';
import { lastWordsSaid } from './last-words.ts';

/** Shows what machines that have never called wrote to their consoles, which go with them. Each is shown once. */
export class Consoles {
  readonly #clouds: CloudCalls;
  readonly #report: (decisions: readonly Decision[]) => Promise<void>;
  readonly #shown = new Set<string>();

  constructor(clouds: CloudCalls, report: (decisions: readonly Decision[]) => Promise<void>) {
    this.#clouds = clouds;
    this.#report = report;
  }

  async show(instances: readonly Instance[]): Promise<void> {
    const silent = instances.filter((instance) => !hasJoined(instance) && !this.#shown.has(instance.machine.id ?? ''));
    await Promise.all(
      silent.map(async (instance) => {
        const { id, cloud } = instance.machine;
        if (id === null) return;
        this.#shown.add(id);
        await this.#report([lastWordsSaid(instance, await this.#clouds.lastWords(cloud, id))]);
      }),
    );
  }
}
