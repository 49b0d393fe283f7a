import { createClient, onBehalfOfHeader } from '@paceline/api';
import { coreServices, createBackendPlugin } from '@backstage/backend-plugin-api';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { eventsServiceRef } from '@backstage/plugin-events-node';
import { notificationService } from '@backstage/plugin-notifications-node';
import { pacelinePermissions, runResourceType } from '@paceline/backstage-plugin-common';
import { isResourcePermission } from '@backstage/plugin-permission-common';
import { readConfig } from './config.ts';
import { embedEngine } from './engine/embedded-engine.ts';
import { createRouter } from './gateway/router.ts';
import { pacelineHealthRef, runsCanBeRead } from './health.ts';
import { KnownRuns } from './runs/known-runs.ts';
import { runResourceRef, runRules } from './runs/rules.ts';
import { RunAccess } from './runs/run-access.ts';
import { Self } from './runs/self.ts';
import { reapTask } from './tasks/reap.ts';
import { Told } from './tasks/told.ts';
import { watchRuns } from './tasks/watch-runs.ts';

/** Paceline in a back end of Backstage: with an engine of its own, or as a client of a Paceline server. */
export const pacelinePlugin = createBackendPlugin({
  pluginId: 'paceline',
  register(env) {
    env.registerInit({
      deps: {
        auditor: coreServices.auditor,
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        database: coreServices.database,
        discovery: coreServices.discovery,
        events: eventsServiceRef,
        health: pacelineHealthRef,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        lifecycle: coreServices.lifecycle,
        logger: coreServices.logger,
        notifications: notificationService,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
        scheduler: coreServices.scheduler,
        userInfo: coreServices.userInfo,
      },
      async init({ permissionsRegistry, permissions, httpRouter, lifecycle, logger, ...deps }) {
        const config = readConfig(deps.config);
        const stop = new AbortController();
        lifecycle.addShutdownHook(() => stop.abort());
        const { source } = config;
        const embedding = { database: deps.database, discovery: deps.discovery, httpRouter, lifecycle, logger };
        const { url, token } = 'server' in source ? source.server : await embedEngine(source.engine, embedding);
        const client = createClient({ url, token, signal: stop.signal });
        const self = new Self(client);
        const known = new KnownRuns(client, self);
        deps.health.add(runsCanBeRead({ url, token }, stop.signal));
        if (deps.config.getOptionalBoolean('permission.enabled') !== true) {
          logger.warn('`permission.enabled` is not set: everybody who logs in may end all runs and see their secrets');
        }
        permissionsRegistry.addResourceType({
          resourceRef: runResourceRef,
          permissions: pacelinePermissions.filter((permission) => isResourcePermission(permission, runResourceType)),
          rules: Object.values(runRules),
          getResources: (ids) => Promise.all(ids.map((id) => known.byId(id).catch(() => undefined))),
        });
        permissionsRegistry.addPermissions(pacelinePermissions.filter((permission) => !isResourcePermission(permission)));
        httpRouter.use(
          createRouter({
            ...deps,
            logger,
            client,
            clientFor: (user) => createClient({ url, token, signal: stop.signal, fetch: inTheNameOf(user) }),
            upstream: { url: client.url, token },
            project: config.project,
            self,
            access: new RunAccess({ permissions, registry: permissionsRegistry, known, self, project: config.project }),
          }),
        );
        if (config.reap !== undefined) await deps.scheduler.scheduleTask(reapTask(client, config.reap, logger));
        const told = await Told.open(deps.database);
        lifecycle.addStartupHook(() => {
          void watchRuns({
            client,
            self,
            told,
            events: deps.events,
            notifications: config.notifications ? deps.notifications : undefined,
            logger,
            signal: stop.signal,
          });
        });
      },
    });
  },
});

function inTheNameOf(user: string): typeof globalThis.fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set(onBehalfOfHeader, user);
    return fetch(input, { ...init, headers });
  };
}
