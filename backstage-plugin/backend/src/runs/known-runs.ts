import type { Client } from '@paceline/api';
import type { RunResource } from './rules.ts';

const most = 1000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What policies have to know of runs. None of it ever changes, so the server is asked once for each run. */
export class KnownRuns {
  readonly #client: Pick<Client, 'runs'>;
  readonly #runs = new Map<string, RunResource>();
  readonly #asking = new Map<string, Promise<RunResource>>();

  constructor(client: Pick<Client, 'runs'>) {
    this.#client = client;
  }

  /** @param text an id, the beginning of one, or a name. @throws what the server says, such as that there is no such run */
  async find(text: string): Promise<RunResource> {
    const known = uuid.test(text) ? this.#runs.get(text) : undefined;
    if (known !== undefined) return known;
    // The parts of a page ask at once.
    const asked = this.#asking.get(text) ?? this.#ask(text).finally(() => this.#asking.delete(text));
    this.#asking.set(text, asked);
    return asked;
  }

  async #ask(text: string): Promise<RunResource> {
    const { id, createdBy, project, tags } = await this.#client.runs.get(text);
    const run = { id, createdBy, project, tags };
    this.#runs.set(id, run);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > most && oldest !== undefined) this.#runs.delete(oldest);
    return run;
  }
}
