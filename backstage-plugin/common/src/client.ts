import { createClient, type Client } from '@paceline/api';

/** Sends a request to the back end of the plugin, as whoever it is for. @param path below the plugin's address, such as `/api/runs` */
export type SendToPlugin = (path: string, init: RequestInit) => Promise<Response>;

/** For error messages: Backstage looks the real address up for each request. */
const url = 'https://paceline.backstage.plugin';

/** The client of a Paceline server, through the back end of the plugin: what it is asked for, it asks in the user's name. */
export function pluginClient(send: SendToPlugin): Client {
  return createClient({
    url,
    fetch: (input, init = {}) => {
      const { pathname, search } = new URL(input instanceof Request ? input.url : input);
      return send(pathname + search, init);
    },
  });
}

/**
 * The same for another plugin of the back end.
 * @param newToken for the plugin `paceline`; asked for every request, as such tokens are short-lived
 */
export function backendClient(discovery: { getBaseUrl(pluginId: string): Promise<string> }, newToken: () => Promise<string>): Client {
  return pluginClient(async (path, init) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await newToken()}`);
    return fetch(`${await discovery.getBaseUrl('paceline')}${path}`, { ...init, headers });
  });
}
