import { reportList } from '@paceline/api';
import { iso } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import * as z from 'zod';
import type { App, RouteContext } from './routes.ts';

export function reportRoutes(app: App, { engine, access }: RouteContext): void {
  app.get(
    '/api/runs/:run/reports',
    { schema: { params: z.strictObject({ run: z.string().max(200) }), response: { 200: reportList } } },
    async (request) => {
      const run = await access.run(request, request.params.run);
      const reports = await engine.store.reports(run);
      return { reports: reports.map((report) => ({ ...report, at: iso(report.at) })) };
    },
  );

  app.get(
    '/api/runs/:run/reports/:name',
    { schema: { params: z.strictObject({ run: z.string().max(200), name: z.string().max(300) }) } },
    async (request, reply) => {
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
    },
  );
}
