import { appDetail, appList } from '@paceline/api';
import * as z from 'zod';
import type { App, RouteContext } from './routes.ts';

const tags = ['apps'];
const config = { anyLogin: true, anyReplica: true };

export function appRoutes(app: App, { access, apps }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const list = {
    operationId: 'listApps',
    summary: 'List the deployments that can be started by a button',
    tags,
    response: { 200: appList },
  };
  app.get('/api/apps', { schema: list, config }, () => ({ apps: apps.list() }));

  const get = {
    operationId: 'getApp',
    summary: 'Get such a deployment, ready to be sent as a run',
    tags,
    params: z.strictObject({ app: z.string().max(200) }),
    response: { 200: appDetail },
  };
  app.get('/api/apps/:app', { schema: get, config }, (request) => apps.get(request.params.app));
}
