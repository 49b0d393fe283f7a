import type { SessionState } from '@paceline/api';
import { HostProvider, Loading, Page, useLoaded, type Host } from '@paceline/ui';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { AuditPage } from './audit-page.tsx';
import { AccessPage } from './access-page.tsx';
import { Head } from './head.tsx';
import { LoginPage } from './login-page.tsx';
import { projectsOf, rightsOf } from './may.ts';
import { paths, routeOf, useAddress, type Route } from './route.ts';
import { sessionClient } from './server.ts';

/** The dashboard: whoever is not logged in sees the login, others the pages. */
export function Application() {
  const [pathname, navigate] = useAddress();
  const [session, setSession] = useState<SessionState | null>();
  const client = useMemo(() => sessionClient(() => setSession(null)), []);
  const found = useLoaded(useCallback(() => client.accounts.me().catch(() => null), [client]));
  useEffect(() => {
    if (found.value !== undefined) setSession((before) => (before === undefined ? found.value : before));
  }, [found.value]);
  const host = useMemo<Host>(
    () => ({
      client,
      paths,
      navigate,
      rightsOf: async (run) => (session === null || session === undefined ? [] : rightsOf(session, run)),
      projects: session === null || session === undefined ? [] : projectsOf(session),
    }),
    [client, navigate, session],
  );
  const route = routeOf(pathname);
  return (
    <HostProvider host={host}>
      {session === undefined && <Loading />}
      {session === null && <LoginPage onLogin={setSession} />}
      {session !== undefined && session !== null && (
        <>
          <a className="shell-skip" href="#content">
            Skip to the content
          </a>
          <Head route={route} session={session} onLogout={() => setSession(null)} />
          <main id="content" className="shell-main" tabIndex={-1}>
            <ServerPage key={pathname} route={route} user={session.name} />
          </main>
        </>
      )}
    </HostProvider>
  );
}

function ServerPage({ route, user }: { route: Route; user: string }) {
  useEffect(() => {
    document.title = `${titles[route.page]} · Paceline`;
  }, [route.page]);
  switch (route.page) {
    case 'access':
      return <AccessPage user={user} />;
    case 'audit':
      return <AuditPage />;
    default:
      return <Page route={route} />;
  }
}

const titles: Record<Route['page'], string> = {
  runs: 'Runs',
  run: 'Run',
  apps: 'App store',
  app: 'App store',
  clouds: 'Clouds',
  access: 'Access',
  audit: 'Audit',
  unknown: 'Not found',
};
