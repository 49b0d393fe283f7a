import {
  coreServices,
  createBackendModule,
  readSchedulerServiceTaskScheduleDefinitionFromConfig,
  type SchedulerServiceTaskScheduleDefinition,
} from '@backstage/backend-plugin-api';
import { catalogProcessingExtensionPoint } from '@backstage/plugin-catalog-node';
import { backendClient } from '@paceline/backstage-plugin-common';
import { DeploymentProcessor } from './processor.ts';
import { PacelineProvider } from './provider.ts';

const everyFiveMinutes: SchedulerServiceTaskScheduleDefinition = {
  frequency: { minutes: 5 },
  timeout: { minutes: 2 },
  // The plugin that is asked has to be there first.
  initialDelay: { seconds: 3 },
};

/** The modules of the server in the catalog, and what runs them. */
export const pacelineCatalog = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'paceline',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogProcessingExtensionPoint,
        config: coreServices.rootConfig,
        discovery: coreServices.discovery,
        logger: coreServices.logger,
        scheduler: coreServices.scheduler,
      },
      async init({ auth, catalog, config, discovery, logger, scheduler }) {
        const own = config.getOptionalConfig('paceline.catalog');
        const schedule = own?.getOptionalConfig('schedule');
        const client = backendClient(discovery, async () => {
          const onBehalfOf = await auth.getOwnServiceCredentials();
          return (await auth.getPluginRequestToken({ onBehalfOf, targetPluginId: 'paceline' })).token;
        });
        const runner = scheduler.createScheduledTaskRunner(
          schedule === undefined ? everyFiveMinutes : readSchedulerServiceTaskScheduleDefinitionFromConfig(schedule),
        );
        const owner = own?.getOptionalString('owner') ?? 'group:default/paceline';
        catalog.addEntityProvider(new PacelineProvider(client, owner, runner, logger));
        catalog.addProcessor(new DeploymentProcessor());
      },
    });
  },
});
