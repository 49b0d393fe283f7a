import type { Client } from '@paceline/api';
import { coreServices, createServiceFactory, type BackendFeature, type BackstageCredentials } from '@backstage/backend-plugin-api';
import { mockCredentials, mockServices, startTestBackend, type TestBackend } from '@backstage/backend-test-utils';
import { notificationService, type NotificationSendOptions } from '@backstage/plugin-notifications-node';
import type { PolicyDecision } from '@backstage/plugin-permission-common';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import pacelinePlugin from '@paceline/backstage-plugin-backend';
import { pluginClient } from '@paceline/backstage-plugin-common';
import type { JsonObject } from '@backstage/types';
import type { System } from '../../test/support/system.ts';

/** What users may do. @param user such as `user:default/alice` */
export type Decide = (user: string, permission: { name: string; resourceType?: string }) => PolicyDecision;

const userOf = ({ principal }: BackstageCredentials): string => (principal as { userEntityRef?: string }).userEntityRef ?? '';

const permissionsBy = (decide: Decide): BackendFeature =>
  createServiceFactory({
    service: coreServices.permissions,
    deps: {},
    factory: () => ({
      authorize: (asked, { credentials }) =>
        Promise.resolve(asked.map(({ permission }) => decide(userOf(credentials as BackstageCredentials), permission)) as never),
      authorizeConditional: (asked, { credentials }) =>
        Promise.resolve(asked.map(({ permission }) => decide(userOf(credentials as BackstageCredentials), permission)) as never),
    }),
  });

export interface Over {
  decide: Decide;
  /** Below `paceline`. */
  config?: JsonObject;
  entities?: Parameters<typeof catalogServiceMock.factory>[0];
  notified?: NotificationSendOptions[];
  features?: BackendFeature[];
}

/** A back end whose plugin is a client of a server, as an operator of all projects. */
export async function backendOver(
  system: System,
  { decide, config = {}, entities, notified = [], features = [] }: Over,
): Promise<TestBackend> {
  await system.call('PUT', '/api/users/backstage');
  await system.call('PUT', '/api/users/backstage/grants/*', { role: 'operator' });
  const { token } = await system.call<{ token: string }>('POST', '/api/tokens', { title: 'a test', user: 'backstage' });
  return startTestBackend({
    features: [
      pacelinePlugin,
      permissionsBy(decide),
      mockServices.rootConfig.factory({ data: { paceline: { server: { url: system.url, token }, ...config } } }),
      catalogServiceMock.factory(entities),
      createServiceFactory({
        service: notificationService,
        deps: {},
        factory: () => ({ send: async (options) => void notified.push(options) }),
      }),
      ...features,
    ],
  });
}

/** The client of somebody who has logged in. @param user such as `alice` */
export function clientOf(backend: TestBackend, user: string): Client {
  return pluginClient((path, init) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', mockCredentials.user.header(`user:default/${user}`));
    return fetch(`http://localhost:${backend.server.port()}/api/paceline${path}`, { ...init, headers });
  });
}
