import { onBehalfOfHeader, type Client, type RunSummary } from '@paceline/api';
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
import {
  imageBuildPermission,
  lookPermission,
  pacelinePermissions,
  runCreatePermission,
  runResourceType,
} from '@paceline/backstage-plugin-common';
import { isResourcePermission } from '@backstage/plugin-permission-common';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import Router from 'express-promise-router';
import * as z from 'zod';
import { pagesOf } from '../runs/pages.ts';
import type { RunAccess, RunPermission } from '../runs/run-access.ts';
import type { Self } from '../runs/self.ts';
import { audited } from './audited.ts';
import { forward, type Upstream } from './forward.ts';
import { buildImage, createRun, type Maker } from './new-things.ts';
import { sendProblem, toPacelineError } from './problem.ts';
import { forwardedRoutes, type ForwardedRoute } from './routes.ts';
import { streamRuns } from './streams.ts';

export interface RouterDeps {
  upstream: Upstream;
  /** Of the server, with the token of this Backstage. */
  client: Client;
  /** Speaks to the server in the name of a user. */
  clientFor: (user: string) => Client;
  /** The project of all that is started and seen; undefined when the server or whoever starts it says it. */
  project: string | undefined;
  access: RunAccess;
  self: Self;
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
  tag: z.string().optional(),
  text: z.string().optional(),
});
const runPermissions = pacelinePermissions.filter((permission) => isResourcePermission(permission, runResourceType));

/** The interface of the server, for users and services of this Backstage, as far as its policy lets them. */
export function createRouter(deps: RouterDeps): express.Router {
  const { access, auditor, client, httpAuth, project } = deps;
  const router = Router();
  router.use(express.json({ limit: '16mb' }));

  router.get('/api/runs', async (request, response) => {
    const isSeen = await access.seen(await httpAuth.credentials(request));
    if (request.header('accept')?.includes('text/event-stream') === true) return streamRuns(client, response, isSeen);
    const query = listQuery.safeParse(request.query);
    if (!query.success) throw new PacelineError('PACELINE_REQUEST_INVALID', z.prettifyError(query.error), { cause: query.error });
    const left = new AbortController();
    response.on('close', () => left.abort());
    const runs = await listRuns(client, isSeen, query.data, left.signal);
    if (!left.signal.aborted) response.json({ runs });
  });

  router.post('/api/runs', async (request, response) => {
    const credentials = await httpAuth.credentials(request);
    await access.require(credentials, runCreatePermission);
    const maker = await makerOf(deps, credentials);
    await audited(auditor, request, metaOf(request), () => createRun(maker, request, response));
  });

  router.post('/api/images', async (request, response) => {
    const credentials = await httpAuth.credentials(request);
    await access.require(credentials, imageBuildPermission);
    const maker = await makerOf(deps, credentials);
    await audited(auditor, request, { path: '/api/images' }, () => buildImage(maker, request, response));
  });

  router.get('/api/usage', async (request, response) => {
    await access.require(await httpAuth.credentials(request), lookPermission);
    const { clouds, projects } = await client.usage();
    response.json({ clouds, projects: projects.filter((use) => project === undefined || use.project === project) });
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
      const path = route.path.replaceAll(/:(\w+)/g, (_match, name: string) => segment(params[name] ?? ''));
      const user = await nameOf(deps, credentials);
      const send = (): Promise<void> => forward(deps.upstream, request, response, path, user);
      const isSecret = revealed(route, request) !== undefined;
      if (route.method === 'get' && !isSecret) return send();
      await audited(auditor, request, { path }, send, isSecret ? 'secret-reveal' : 'run-change');
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

/** A part of an address. @throws PACELINE_NOT_FOUND for what would lead to another one */
function segment(text: string): string {
  if (text === '.' || text === '..') throw new PacelineError('PACELINE_NOT_FOUND', `There is nothing with the name ${text}`);
  return encodeURIComponent(text);
}

/** Of a request for a run, as far as it can be read. */
function metaOf({ body }: Request): Record<string, string | null> {
  const asked = z.object({ id: z.string().max(100).optional(), deployment: z.object({ name: z.string().max(200) }) }).safeParse(body);
  return { run: asked.data?.id ?? null, deployment: asked.data?.deployment.name ?? null };
}

async function makerOf(deps: RouterDeps, credentials: BackstageCredentials): Promise<Maker> {
  return { ...deps, credentials, client: deps.clientFor(await nameOf(deps, credentials)) };
}

/** Who asks, for the records of runs. */
async function nameOf({ auth, userInfo }: RouterDeps, credentials: BackstageCredentials): Promise<string> {
  if (auth.isPrincipal(credentials, 'user')) return (await userInfo.getUserInfo(credentials)).userEntityRef;
  if (auth.isPrincipal(credentials, 'service')) return credentials.principal.subject;
  throw new PacelineError('PACELINE_FORBIDDEN', `Nobody who is known makes this request, so it cannot carry ${onBehalfOfHeader}`);
}

/** A page of the runs that may be seen: the server does not know what that is, so pages of it are filtered here. */
async function listRuns(
  client: Client,
  isSeen: (run: RunSummary) => boolean,
  { offset, limit, active, tag, text }: z.output<typeof listQuery>,
  left: AbortSignal,
): Promise<RunSummary[]> {
  const found: RunSummary[] = [];
  const query = { active, ...(tag === undefined ? {} : { tag }), ...(text === undefined ? {} : { text }) };
  for await (const page of pagesOf(client, query, left)) {
    found.push(...page.filter(isSeen));
    if (found.length >= offset + limit) break;
  }
  return found.slice(offset, offset + limit);
}
