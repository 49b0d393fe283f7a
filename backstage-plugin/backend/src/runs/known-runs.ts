import type { Client, RunSummary } from '@paceline/api';
import { isPacelineError, PacelineError } from '@paceline/model';
import { pagesOf } from './pages.ts';
import { resourceOf, type RunResource } from './run-resource.ts';
import type { RunFilter } from './rules.ts';
import type { Self } from './self.ts';

const most = 1000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What policies have to know of runs. None of it ever changes, so the server is asked once for each run. */
export class KnownRuns {
  readonly #client: Pick<Client, 'runs'>;
  readonly #self: Pick<Self, 'name'>;
  readonly #runs = new Map<string, RunResource>();
  readonly #asking = new Map<string, Promise<RunResource>>();

  constructor(client: Pick<Client, 'runs'>, self: Pick<Self, 'name'>) {
    this.#client = client;
    this.#self = self;
  }

  /** A run by its full id. @throws what the server says, such as that there is no such run */
  async byId(id: string): Promise<RunResource> {
    const known = this.#runs.get(id);
    if (known !== undefined) return known;
    // The parts of a page ask at once.
    const asked = this.#asking.get(id) ?? this.#ask(id).finally(() => this.#asking.delete(id));
    this.#asking.set(id, asked);
    return asked;
  }

  /**
   * The run that somebody means by an id, the beginning of one, or a name, which is the newest of that name.
   * @param isSeen what they may see: other runs are not there, and nothing tells that they are
   * @throws PACELINE_NOT_FOUND, PACELINE_CONFLICT when it can be several
   */
  async find(text: string, isSeen: RunFilter): Promise<RunResource> {
    const found = uuid.test(text) ? await this.#seenById(text, isSeen) : await this.#seenByText(text, isSeen);
    if (found === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `You have no run ${text}`);
    return found;
  }

  async #seenById(id: string, isSeen: RunFilter): Promise<RunResource | undefined> {
    const run = await this.byId(id).catch((error: unknown) => {
      if (isPacelineError(error) && error.code === 'PACELINE_NOT_FOUND') return undefined;
      throw error;
    });
    return run !== undefined && isSeen(run) ? run : undefined;
  }

  async #seenByText(text: string, isSeen: RunFilter): Promise<RunResource | undefined> {
    const self = await this.#self.name();
    const begin: RunResource[] = [];
    for await (const page of pagesOf(this.#client, { text })) {
      for (const run of page) {
        const resource = resourceOf(run, self);
        if (!isSeen(resource)) continue;
        if (run.name === text) return this.#keep(resource);
        begin.push(resource);
      }
    }
    const [first, ...others] = begin;
    if (others.length === 0) return first && this.#keep(first);
    throw new PacelineError('PACELINE_CONFLICT', `${text} can mean ${begin.map(({ id }) => id).join(', ')}`, {
      hint: 'Give more of its id.',
    });
  }

  async #ask(id: string): Promise<RunResource> {
    const [run, self]: [RunSummary, string] = [await this.#client.runs.get(id), await this.#self.name()];
    return this.#keep(resourceOf(run, self));
  }

  #keep(run: RunResource): RunResource {
    this.#runs.set(run.id, run);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > most && oldest !== undefined) this.#runs.delete(oldest);
    return run;
  }
}
