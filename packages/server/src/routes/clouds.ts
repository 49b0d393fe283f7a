import { cloudSurveys } from '@paceline/api';
import type { App, RouteContext } from './routes.ts';

/** What an operator is to know of the clouds: every look costs them some calls. */
export function cloudRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const survey = {
    operationId: 'surveyClouds',
    summary: 'Ask all clouds whether they answer, and what can be had there',
    tags: ['server'],
    response: { 200: cloudSurveys },
  };
  app.get('/api/clouds', { schema: survey, config: { anyLogin: true } }, async (request) => {
    await access.server(request, 'operator');
    return { clouds: await engine.surveyClouds() };
  });
}
