import type { Client } from '@paceline/api';
import type { LoggerService, SchedulerServiceTaskRunner } from '@backstage/backend-plugin-api';
import type { EntityProvider, EntityProviderConnection } from '@backstage/plugin-catalog-node';
import { entitiesOf, locationKey } from './entities.ts';

/** Publishes the newest versions of the modules of the server in the catalog. */
export class PacelineProvider implements EntityProvider {
  readonly #client: Pick<Client, 'modules'>;
  readonly #owner: string;
  readonly #schedule: SchedulerServiceTaskRunner;
  readonly #logger: LoggerService;

  constructor(client: Pick<Client, 'modules'>, owner: string, schedule: SchedulerServiceTaskRunner, logger: LoggerService) {
    this.#client = client;
    this.#owner = owner;
    this.#schedule = schedule;
    this.#logger = logger;
  }

  getProviderName(): string {
    return 'paceline';
  }

  async connect(connection: EntityProviderConnection): Promise<void> {
    await this.#schedule.run({
      id: 'paceline-modules',
      fn: async (signal) => {
        // When the server cannot be asked, the catalog keeps what it has.
        await this.refresh(connection, signal).catch((error: unknown) => this.#logger.warn(`The modules of Paceline: ${String(error)}`));
      },
    });
  }

  /** Brings the catalog to what the server has now. @throws what the server says against it, and the reason of the signal */
  async refresh(connection: Pick<EntityProviderConnection, 'applyMutation'>, signal: AbortSignal): Promise<void> {
    const contents = [];
    for (const { name, version } of await this.#client.modules.list()) {
      signal.throwIfAborted();
      contents.push(await this.#client.modules.get(`${name}@${version}`));
    }
    const entities = entitiesOf(contents, this.#owner).map((entity) => ({ entity, locationKey }));
    await connection.applyMutation({ type: 'full', entities });
  }
}
