import {
  readSchedulerServiceTaskScheduleDefinitionFromConfig,
  type RootConfigService,
  type SchedulerServiceTaskScheduleDefinition,
} from '@backstage/backend-plugin-api';

export interface PluginConfig {
  server: { url: string; token: string };
  project: string | undefined;
  reap: SchedulerServiceTaskScheduleDefinition | undefined;
  notifications: boolean;
}

/** @throws when a key is missing or of another type; the error names it */
export function readConfig(root: RootConfigService): PluginConfig {
  const config = root.getConfig('paceline');
  const reap = config.getOptionalConfig('reap');
  return {
    server: { url: config.getString('server.url'), token: config.getString('server.token') },
    project: config.getOptionalString('project'),
    reap: reap && readSchedulerServiceTaskScheduleDefinitionFromConfig(reap),
    notifications: config.getOptionalBoolean('notifications') ?? true,
  };
}
