import { HostProvider, pathsAt, type Host, type RunRight } from '@paceline/ui';
import '@paceline/ui/styles.css';
import './plugin.css';
import { fetchApiRef, useApi, useRouteRef, type FetchApi } from '@backstage/frontend-plugin-api';
import { pluginClient, runScalePermission, runTerminatePermission, runUpdatePermission } from '@paceline/backstage-plugin-common';
import { useMemo, type ReactNode } from 'react';
import { useNavigate } from 'react-router-dom';
import { rootRouteRef } from './routes.ts';

const permissions: Record<RunRight, string> = {
  update: runUpdatePermission.name,
  scale: runScalePermission.name,
  terminate: runTerminatePermission.name,
};

/** To be put around everything of Paceline: its client, its addresses, and what the user may do. */
export function Paceline({ children }: { children: ReactNode }) {
  const fetchApi = useApi(fetchApiRef);
  const root = useRouteRef(rootRouteRef)?.() ?? '/paceline';
  const navigate = useNavigate();
  const host = useMemo<Host>(
    () => ({
      client: pluginClient((path, init) => fetchApi.fetch(`plugin://paceline${path}`, init)),
      paths: pathsAt(root),
      navigate: (path) => navigate(path),
      rightsOf: (run) => rightsOf(fetchApi, run.id),
    }),
    [fetchApi, navigate, root],
  );
  return <HostProvider host={host}>{children}</HostProvider>;
}

/** What the policy of this Backstage lets the user do with a run; nothing when that cannot be asked. */
async function rightsOf({ fetch }: FetchApi, run: string): Promise<readonly RunRight[]> {
  const answer = await fetch(`plugin://paceline/rights/${encodeURIComponent(run)}`);
  const body: unknown = answer.ok ? await answer.json() : undefined;
  const names = typeof body === 'object' && body !== null && 'rights' in body && Array.isArray(body.rights) ? body.rights : [];
  return (['update', 'scale', 'terminate'] as const).filter((right) => names.includes(permissions[right]));
}
