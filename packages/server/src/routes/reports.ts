import { reportList } from '@paceline/api';
import { iso } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import * as z from 'zod';
import { runParams, type App, type RouteContext } from './routes.ts';

const tags = ['reports'];

export function reportRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const list = {
    operationId: 'listReports',
    summary: 'List the reports that have come',
    tags,
    params: runParams,
    response: { 200: reportList },
  };
  app.get('/api/runs/:run/reports', { schema: list }, async (request) => {
    const run = await access.run(request, request.params.run);
    const reports = await engine.store.reports(run);
    return { reports: reports.map((report) => ({ ...report, at: iso(report.at) })) };
  });

  const download = {
    operationId: 'downloadReport',
    summary: 'Fetch a report',
    tags,
    produces: ['application/gzip'],
    params: z.strictObject({ ...runParams.shape, name: z.string().max(300) }),
    response: { 200: z.unknown().describe('The bytes of the tarball') },
  };
  app.get('/api/runs/:run/reports/:name', { schema: download }, async (request, reply) => {
    const run = await access.run(request, request.params.run);
    const report = (await engine.store.reports(run)).find(({ name }) => name === request.params.name);
    if (report === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `The run has no report ${request.params.name}`);
    return reply
      .type('application/gzip')
      .header('content-length', report.bytes)
      .header('content-disposition', `attachment; filename="${report.name}"`)
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', 'sandbox')
      .send(engine.reports.open(run, report.name));
  });
}
