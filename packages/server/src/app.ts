import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler, type ZodTypeProvider } from '@fastify/type-provider-zod';
import { PacelineError } from '@paceline/model';
import Fastify, { LogController, type FastifyServerOptions } from 'fastify';
import { sendProblem } from './problem.ts';
import { agentRoutes } from './routes/agent.ts';
import { feedRoutes } from './routes/feeds.ts';
import { metaRoutes } from './routes/meta.ts';
import { parameterRoutes } from './routes/parameters.ts';
import { reportRoutes } from './routes/reports.ts';
import type { App, RouteContext } from './routes/routes.ts';
import { runRoutes } from './routes/runs.ts';
import { slipstreamRoutes } from './routes/slipstream.ts';

export interface AppOptions extends RouteContext {
  logger: NonNullable<FastifyServerOptions['logger']>;
  https?: { cert: string; key: string };
}

/** Builds the HTTP application over an engine. It listens to nothing yet. */
export async function buildApp({ logger, https, ...context }: AppOptions): Promise<App> {
  const options: FastifyServerOptions = {
    logger,
    bodyLimit: 1024 * 1024,
    routerOptions: { maxParamLength: 400 },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    // Streams and agents stay connected while nothing is said.
    keepAliveTimeout: 75_000,
  };
  const app = Fastify(https === undefined ? options : ({ ...options, https } as FastifyServerOptions)).withTypeProvider<ZodTypeProvider>() as App;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => {
    sendProblem(new PacelineError('PACELINE_NOT_FOUND', `There is nothing at ${request.method} ${request.url.split('?')[0]}`), request, reply);
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Paceline', version: context.version, description: 'Runs of systems of many machines.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });
  await app.register(rateLimit, { global: false });
  await app.register(async (scope) => {
    const routes = scope as unknown as App;
    for (const group of [metaRoutes, runRoutes, parameterRoutes, feedRoutes, reportRoutes, agentRoutes, slipstreamRoutes]) group(routes, context);
  });
  await app.ready();
  return app;
}
