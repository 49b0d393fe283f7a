import {
  readSchedulerServiceTaskScheduleDefinitionFromConfig,
  type RootConfigService,
  type SchedulerServiceTaskScheduleDefinition,
} from '@backstage/backend-plugin-api';
import { InputError } from '@backstage/errors';

/** The engine within this back end. */
export interface EngineConfig {
  /** The folder for what is not in the database. */
  state: string;
  /** The file that says which clouds there are. */
  clouds: string | undefined;
  /** What machines call. */
  url: string | undefined;
  /** Where other back ends on the same database reach this one. */
  replicaUrl: string | undefined;
}

export interface PluginConfig {
  /** Who drives runs: a server elsewhere, or the engine in this back end. */
  source: { server: { url: string; token: string } } | { engine: EngineConfig };
  project: string | undefined;
  reap: SchedulerServiceTaskScheduleDefinition | undefined;
  notifications: boolean;
}

/** @throws when a key is missing or of another type; the error names it */
export function readConfig(root: RootConfigService): PluginConfig {
  const config = root.getConfig('paceline');
  const reap = config.getOptionalConfig('reap');
  return {
    source: sourceOf(config),
    project: config.getOptionalString('project'),
    reap: reap && readSchedulerServiceTaskScheduleDefinitionFromConfig(reap),
    notifications: config.getOptionalBoolean('notifications') ?? true,
  };
}

function sourceOf(config: ReturnType<RootConfigService['getConfig']>): PluginConfig['source'] {
  const engine = config.getOptionalConfig('engine');
  if (engine === undefined) return { server: { url: config.getString('server.url'), token: config.getString('server.token') } };
  if (config.has('server')) throw new InputError('Give `paceline.server` or `paceline.engine`, not both');
  return {
    engine: {
      state: engine.getString('state'),
      clouds: engine.getOptionalString('clouds'),
      url: engine.getOptionalString('url'),
      replicaUrl: engine.getOptionalString('replicaUrl'),
    },
  };
}
