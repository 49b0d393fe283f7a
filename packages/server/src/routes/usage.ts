import { usageReport, type CloudView, type UsageView } from '@paceline/api';
import type { MachineInUse } from '@paceline/engine';
import { projectsWith } from '../auth/roles.ts';
import type { App, RouteContext } from './routes.ts';

/** What is in use on the clouds, as far as the asker may see it. */
export function usageRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const usage = {
    operationId: 'usage',
    summary: 'What your projects have in use on the clouds at this moment',
    tags: ['server'],
    response: { 200: usageReport },
  };
  app.get('/api/usage', { schema: usage, config: { anyLogin: true } }, async (request) => {
    const projects = projectsWith(await access.identity(request), 'viewer');
    const machines = (await engine.store.machines()).filter(({ project }) => projects?.includes(project) ?? true);
    return { clouds: byCloud(engine.clouds.names, machines), projects: byProject(machines, Date.now()) };
  });
}

function byCloud(clouds: readonly string[], machines: readonly MachineInUse[]): CloudView[] {
  const used = Map.groupBy(machines, ({ cloud }) => cloud);
  return clouds.map((name) => ({ name, ...countsOf(used.get(name) ?? []) }));
}

function byProject(machines: readonly MachineInUse[], now: number): UsageView[] {
  const used = Map.groupBy(machines, ({ project }) => project);
  return [...used]
    .map(([project, own]) => ({
      project,
      ...countsOf(own),
      machineSeconds: own.reduce((sum, { since }) => sum + (since === null ? 0 : Math.max(0, now - since) / 1000), 0),
    }))
    .toSorted((a, b) => b.machines - a.machines || (a.project < b.project ? -1 : 1));
}

function countsOf(machines: readonly MachineInUse[]): { runs: number; machines: number } {
  return { runs: new Set(machines.map(({ run }) => run)).size, machines: machines.length };
}
