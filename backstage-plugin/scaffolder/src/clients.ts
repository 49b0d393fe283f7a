import type { Client } from '@paceline/api';
import type { AuthService, BackstageCredentials, DiscoveryService } from '@backstage/backend-plugin-api';
import { backendClient } from '@paceline/backstage-plugin-common';

/** What actions know of the task that they are part of. */
export interface TaskCaller {
  getInitiatorCredentials(): Promise<BackstageCredentials>;
  signal?: AbortSignal;
}

/** The client of whoever has started a task: what the task does, they do, and what they may not, it may not. */
export type ClientFor = (task: TaskCaller) => Client;

export function clientsOf(auth: AuthService, discovery: DiscoveryService): ClientFor {
  return (task) =>
    backendClient(discovery, async () => {
      const onBehalfOf = await task.getInitiatorCredentials();
      return (await auth.getPluginRequestToken({ onBehalfOf, targetPluginId: 'paceline' })).token;
    });
}
