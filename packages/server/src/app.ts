import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from '@fastify/type-provider-zod';
import { PacelineError } from '@paceline/model';
import Fastify, { LogController, type FastifyServerOptions } from 'fastify';
import { boundConnections, defaultLimits, socketOptions, type ConnectionLimits } from './connections.ts';
import { openApiOptions } from './openapi.ts';
import { sendProblem } from './problem.ts';
import { accountRoutes } from './routes/accounts.ts';
import { auditRoutes, recordChanges } from './routes/audit.ts';
import { agentRoutes } from './routes/agent.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { feedRoutes } from './routes/feeds.ts';
import { loginRoutes } from './routes/login.ts';
import { oidcRoutes } from './routes/oidc.ts';
import { metaRoutes } from './routes/meta.ts';
import { parameterRoutes } from './routes/parameters.ts';
import { cloudRoutes } from './routes/clouds.ts';
import { reapRoutes } from './routes/reap.ts';
import { reportRoutes } from './routes/reports.ts';
import { forwardToOwners } from './replicas.ts';
import type { App, RouteContext } from './routes/routes.ts';
import { runRoutes } from './routes/runs.ts';
import { machineRoutes } from './routes/machines.ts';
import { imageRoutes } from './routes/images.ts';
import { moduleRoutes } from './routes/modules.ts';
import { scaleRoutes } from './routes/scale.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { slipstreamRoutes } from './routes/slipstream.ts';
import { usageRoutes } from './routes/usage.ts';
import { acceptUpgrades } from './upgrades.ts';

export interface AppOptions extends RouteContext {
  /** The key that all servers on the database have. */
  serverKey: Buffer;
  logger: NonNullable<FastifyServerOptions['logger']>;
  https?: { cert: string; key: string };
  limits?: Partial<ConnectionLimits>;
}

/** Builds the HTTP application over an engine. It listens to nothing yet. */
export async function buildApp({ logger, https, limits: given, serverKey, ...context }: AppOptions): Promise<App> {
  const limits = { ...defaultLimits, ...given };
  const sockets = socketOptions(limits);
  const options: FastifyServerOptions = {
    logger,
    bodyLimit: 1024 * 1024,
    // An address that cannot be read never gets to the error handler.
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
    // A HEAD of a stream would be a stream.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 400 },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    // Streams and agents stay connected while nothing is said.
    keepAliveTimeout: 75_000,
    requestTimeout: limits.requestTimeoutMs,
  };
  const transport = https === undefined ? { http: sockets } : { https: { ...sockets, ...https } };
  const app = Fastify({ ...options, ...transport }).withTypeProvider<ZodTypeProvider>();
  acceptUpgrades(app);
  boundConnections(app.server, limits, (text) => app.log.warn(text));
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => {
    sendProblem(
      new PacelineError('PACELINE_NOT_FOUND', `There is nothing at ${request.method} ${request.url.split('?')[0]}`),
      request,
      reply,
    );
  });
  await app.register(swagger, openApiOptions(context.version));
  await app.register(rateLimit, { global: false });
  await app.register(cookie);
  await forwardToOwners(app, context.engine, serverKey);
  recordChanges(app, context.audit, context.access);
  for (const group of [
    metaRoutes,
    sessionRoutes,
    loginRoutes,
    oidcRoutes,
    accountRoutes,
    auditRoutes,
    usageRoutes,
    dashboardRoutes,
    runRoutes,
    scaleRoutes,
    moduleRoutes,
    imageRoutes,
    machineRoutes,
    parameterRoutes,
    feedRoutes,
    reportRoutes,
    reapRoutes,
    cloudRoutes,
    agentRoutes,
    slipstreamRoutes,
  ]) {
    await app.register(async (scope) => group(scope as unknown as App, context));
  }
  await app.ready();
  return app;
}
