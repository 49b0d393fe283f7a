import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import Provider from 'oidc-provider';

export const clientSecret = 'made up for tests';

/** What the provider knows of its people. Whoever logs in chooses who to be: any password will do. */
export type People = Record<string, Record<string, unknown>>;

/** A real OpenID provider on this host, with pages to log in and to agree. */
export class LoginProvider {
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @param callback the only address of the client that it leads back to */
  static async start(callback: string, people: People): Promise<LoginProvider> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new Provider(url, {
      clients: [{ client_id: 'paceline', client_secret: clientSecret, redirect_uris: [callback] }],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
      pkce: { required: () => true },
      findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people[sub] }) }),
    });
    const answer = provider.callback();
    server.on('request', (request, response) => void answer(request, response));
    return new LoginProvider(server, url);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
