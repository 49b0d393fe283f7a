import { onBehalfOfHeader, runRequest, type Client, type RunSummary } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type {
  AuditorService,
  AuthService,
  BackstageCredentials,
  HttpAuthService,
  LoggerService,
  UserInfoService,
} from '@backstage/backend-plugin-api';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { pacelinePermissions, runCreatePermission, runReadPermission, runResourceType } from '@paceline/backstage-plugin-common';
import { isResourcePermission } from '@backstage/plugin-permission-common';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import Router from 'express-promise-router';
import * as z from 'zod';
import { newRunTags } from '../runs/new-run-tags.ts';
import type { RunAccess, RunPermission } from '../runs/run-access.ts';
import type { RunFilter } from '../runs/rules.ts';
import { forward, type Upstream } from './forward.ts';
import { sendProblem, toPacelineError } from './problem.ts';
import { forwardedRoutes, type ForwardedRoute } from './routes.ts';
import { streamRuns } from './streams.ts';

export interface RouterDeps {
  upstream: Upstream;
  /** Of the server, with the token of this Backstage. */
  client: Client;
  /** Speaks to the server in the name of a user. */
  clientFor: (user: string) => Client;
  /** The project of all new runs; undefined when the server or whoever starts them says it. */
  project: string | undefined;
  access: RunAccess;
  auth: AuthService;
  httpAuth: HttpAuthService;
  userInfo: UserInfoService;
  auditor: AuditorService;
  catalog: CatalogService;
  logger: LoggerService;
}

const listQuery = z.object({
  active: z.stringbool().default(false),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  offset: z.coerce.number().int().min(0).default(0),
});
const pageSize = 500;
const runPermissions = pacelinePermissions.filter((permission) => isResourcePermission(permission, runResourceType));

/** The interface of the server, for users and services of this Backstage, as far as its policy lets them. */
export function createRouter(deps: RouterDeps): express.Router {
  const { access, client, httpAuth } = deps;
  const router = Router();
  router.use(express.json({ limit: '16mb' }));

  router.get('/api/runs', async (request, response) => {
    const isSeen = await access.filter(await httpAuth.credentials(request), runReadPermission);
    if (request.header('accept')?.includes('text/event-stream') === true) return streamRuns(client, response, isSeen);
    response.json({ runs: await listRuns(client, isSeen, listQuery.parse(request.query)) });
  });

  router.post('/api/runs', async (request, response) => {
    const credentials = await httpAuth.credentials(request);
    await access.require(credentials, runCreatePermission);
    const asked = runRequest.safeParse(request.body);
    if (!asked.success) throw new PacelineError('PACELINE_REQUEST_INVALID', z.prettifyError(asked.error), { cause: asked.error });
    const { project = deps.project, tags, ...rest } = asked.data;
    if (deps.project !== undefined && project !== deps.project) {
      throw new PacelineError('PACELINE_FORBIDDEN', `Runs of this Backstage are in the project ${deps.project}, and not in ${project}`);
    }
    const user = await nameOf(deps, credentials);
    await audited(deps, request, { run: rest.id ?? null, deployment: rest.deployment.name }, async () => {
      const created = await deps.clientFor(user).runs.create({
        ...rest,
        tags: await newRunTags(deps.catalog, credentials, tags),
        ...(project === undefined ? {} : { project }),
      });
      response.status(201).json(created);
    });
  });

  /** What whoever asks may do with a run. */
  router.get('/rights/:run', async (request, response) => {
    response.json({ rights: await access.rights(await httpAuth.credentials(request), runPermissions, request.params['run'] ?? '') });
  });

  for (const route of forwardedRoutes) {
    router[route.method](route.path, async (request: Request, response: Response) => {
      const credentials = await httpAuth.credentials(request);
      const params = { ...(request.params as Record<string, string>) };
      const run = await permit(deps, credentials, route, request, params['run'] ?? '');
      if (run !== undefined) params['run'] = run;
      const path = route.path.replaceAll(/:(\w+)/g, (_match, name: string) => encodeURIComponent(params[name] ?? ''));
      const user = await nameOf(deps, credentials);
      const send = (): Promise<void> => forward(deps.upstream, request, response, path, user);
      const isSecret = revealed(route, request) !== undefined;
      if (route.method === 'get' && !isSecret) return send();
      await audited(deps, request, { path }, send, isSecret ? 'secret-reveal' : 'run-change');
    });
  }

  const onError: ErrorRequestHandler = (error, _request, response, _next) => {
    const said = toPacelineError(error);
    if (said.status >= 500) deps.logger.error(said.message, said.cause instanceof Error ? said.cause : said);
    if (response.headersSent) response.destroy();
    else sendProblem(response, said);
  };
  router.use(onError);
  return router;
}

/** @returns the full id of the run that the route is about, if it is about one */
async function permit(
  { access }: RouterDeps,
  credentials: BackstageCredentials,
  route: ForwardedRoute,
  request: Request,
  text: string,
): Promise<string | undefined> {
  if ('permission' in route) {
    await access.require(credentials, route.permission);
    return undefined;
  }
  // Whoever could set a secret may see it; others see that there is one.
  return (await access.run(credentials, revealed(route, request) ?? route.run, text)).id;
}

/** What whoever asks for secrets needs. The server understands many words for yes, so that its one plain no alone asks for none. */
function revealed(route: ForwardedRoute, { query }: Request): RunPermission | undefined {
  return 'run' in route && query['reveal'] !== undefined && query['reveal'] !== 'false' ? route.reveal : undefined;
}

/** Who asks, for the records of runs. */
async function nameOf({ auth, userInfo }: RouterDeps, credentials: BackstageCredentials): Promise<string> {
  if (auth.isPrincipal(credentials, 'user')) return (await userInfo.getUserInfo(credentials)).userEntityRef;
  if (auth.isPrincipal(credentials, 'service')) return credentials.principal.subject;
  throw new PacelineError('PACELINE_FORBIDDEN', `Nobody who is known makes this request, so it cannot carry ${onBehalfOfHeader}`);
}

/** Tells the auditor of what is done, and how it went. */
async function audited(
  { auditor }: RouterDeps,
  request: Request,
  meta: Record<string, string | null>,
  change: () => Promise<void>,
  eventId: 'run-change' | 'secret-reveal' = 'run-change',
): Promise<void> {
  const event = await auditor.createEvent({ eventId, severityLevel: 'medium', request, meta });
  try {
    await change();
    const status = request.res?.statusCode ?? 0;
    if (status < 400) await event.success();
    else await event.fail({ error: new Error(`The server answers ${status}`) });
  } catch (error) {
    await event.fail({ error: error instanceof Error ? error : new Error(String(error)) });
    throw error;
  }
}

/** A page of the runs that may be seen: the server does not know what that is, so pages of it are filtered here. */
async function listRuns(client: Client, isSeen: RunFilter, query: z.output<typeof listQuery>): Promise<RunSummary[]> {
  const found: RunSummary[] = [];
  for (let offset = 0; ; offset += pageSize) {
    const page = await client.runs.list({ active: query.active, limit: pageSize, offset });
    found.push(...page.filter(isSeen));
    if (page.length < pageSize || found.length >= query.offset + query.limit) break;
  }
  return found.slice(query.offset, query.offset + query.limit);
}
