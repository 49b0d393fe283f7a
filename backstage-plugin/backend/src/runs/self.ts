import { everyProject, type Client, type SessionState } from '@paceline/api';

/** Who this Backstage is on its server, which is asked once. */
export class Self {
  readonly #client: Pick<Client, 'accounts'>;
  #asked: Promise<SessionState> | undefined;

  constructor(client: Pick<Client, 'accounts'>) {
    this.#client = client;
  }

  /** The name that follows the user's in the records of runs. @throws what the server says, PACELINE_UNREACHABLE */
  async name(): Promise<string> {
    return (await this.#session()).name;
  }

  /** Whether its token is good for all projects. @throws as `name` */
  async isEverywhere(): Promise<boolean> {
    return (await this.#session()).grants.some(({ project }) => project === everyProject);
  }

  #session(): Promise<SessionState> {
    this.#asked ??= this.#client.accounts.me().catch((error: unknown) => {
      this.#asked = undefined;
      throw error;
    });
    return this.#asked;
  }
}
