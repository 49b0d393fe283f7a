import { behindTunnel, CloudWatch, openClouds, readClouds } from '@paceline/clouds';
import { openKnex, type ConfiguredCloud } from '@paceline/engine';
import { openServer, StateDirectory } from '@paceline/server';
import type { DatabaseService, DiscoveryService, HttpRouterService, LifecycleService, LoggerService } from '@backstage/backend-plugin-api';
import { Router } from 'express';
import packageJson from '../../package.json' with { type: 'json' };
import type { EngineConfig } from '../config.ts';
import type { Upstream } from '../gateway/forward.ts';
import { agentPath } from './agent-path.ts';
import { engineLog } from './engine-log.ts';
import { engineRoutes } from './engine-routes.ts';

/** What the engine is embedded in. */
export interface EngineHost {
  database: DatabaseService;
  discovery: DiscoveryService;
  httpRouter: HttpRouterService;
  lifecycle: LifecycleService;
  logger: LoggerService;
}

/** Where agents and other back ends reach the engine, below the address of the plugin. */
const enginePath = '/engine';
/** How long the first request for the engine may take, in milliseconds. */
const firstRequestMs = 30_000;

/**
 * Opens the engine on the database of the plugin, until the back end stops. What its server answers is reached on loopback by this
 * back end and by machines on this host, and through the router of the plugin by everybody else who has a key.
 * @returns where the rest of the plugin asks it, as it would ask any other server
 * @throws PACELINE_REQUEST_INVALID for a file of clouds that cannot be used, PACELINE_STORE_FAILED for a database of another kind
 */
export async function embedEngine(config: EngineConfig, host: EngineHost): Promise<Upstream> {
  const { database, httpRouter, lifecycle, logger } = host;
  const { url, replicaUrl } = config;
  const state = await StateDirectory.open(config.state);
  const source = await readClouds(state.path, config.clouds);
  const clouds = await openClouds(source, process.cwd());
  // It listens on loopback: only where it is told another address do machines elsewhere find it.
  const reached = (cloud: ConfiguredCloud): ConfiguredCloud => (url === undefined ? behindTunnel(cloud) : cloud);
  const server = await openServer({
    state,
    host: '127.0.0.1',
    port: 0,
    clouds: clouds.map(reached),
    ...(source.budget === undefined ? {} : { budget: source.budget }),
    database: await openKnex(await database.getClient()),
    migrate: database.migrations?.skip !== true,
    portal: 'backstage',
    agentPath: agentPath(),
    version: packageJson.version,
    logger: { level: 'info', stream: engineLog(logger) },
    ...(url === undefined ? {} : { publicUrl: url }),
    ...(replicaUrl === undefined ? {} : { replicaUrl }),
  });
  const watch = new CloudWatch({
    source,
    read: () => readClouds(state.path, config.clouds),
    clouds,
    program: process.cwd(),
    set: (cloud) => server.engine.clouds.set(reached(cloud)),
    log: server.log,
  });
  watch.start();
  lifecycle.addShutdownHook(() => {
    watch.stop();
    return server.close();
  });
  httpRouter.addAuthPolicy({ path: enginePath, allow: 'unauthenticated' });
  httpRouter.use(Router().use(enginePath, engineRoutes(server)));
  lifecycle.addStartupHook(() => void hearFromTheStart(host));
  return { url: server.url, token: server.portalToken };
}

/**
 * Makes the first request for the engine: machines that were told of this back end ask for a connection for both ways at once, and
 * nobody would hear them when other plugins have begun to listen before.
 */
async function hearFromTheStart({ discovery, logger }: EngineHost): Promise<void> {
  try {
    const own = await discovery.getBaseUrl('paceline');
    await fetch(`${own}${enginePath}/api/health`, { signal: AbortSignal.timeout(firstRequestMs) });
  } catch (error) {
    logger.warn(`The back end does not reach its own engine, so machines may have to ask for each thing by itself: ${String(error)}`);
  }
}
