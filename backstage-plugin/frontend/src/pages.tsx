import { AppPage, AppsPage, CloudsPage, Link, Nothing, RunPage, RunsPage, useHost } from '@paceline/ui';
import { useRouteRef } from '@backstage/frontend-plugin-api';
import { useLocation } from 'react-router-dom';
import { Paceline } from './paceline.tsx';
import { pathsAt, rootRouteRef, routeOf, type Route } from './routes.ts';

/** All pages of Paceline, at the address of the plugin. */
export function Pages() {
  const root = useRouteRef(rootRouteRef)?.() ?? '/paceline';
  const { pathname } = useLocation();
  const at = pathname.indexOf(root);
  const route = routeOf(at < 0 ? '' : pathname.slice(at + root.length));
  return (
    <Paceline>
      <div className="plb-page">
        <Navigation root={root} route={route} />
        <Page key={pathname} route={route} />
      </div>
    </Paceline>
  );
}

function Navigation({ root, route: { page } }: { root: string; route: Route }) {
  const { runs, apps, clouds } = pathsAt(root);
  return (
    <nav className="plb-nav" aria-label="Paceline">
      <Link to={runs} current={page === 'runs' || page === 'run'}>
        Runs
      </Link>
      <Link to={apps} current={page === 'apps' || page === 'app'}>
        App store
      </Link>
      <Link to={clouds} current={page === 'clouds'}>
        Clouds
      </Link>
    </nav>
  );
}

function Page({ route }: { route: Route }) {
  const { paths } = useHost();
  switch (route.page) {
    case 'runs':
      return <RunsPage />;
    case 'run':
      return <RunPage id={route.id} />;
    case 'apps':
      return <AppsPage />;
    case 'app':
      return <AppPage id={route.id} />;
    case 'clouds':
      return <CloudsPage />;
    case 'unknown':
      return (
        <Nothing>
          There is no such page. <Link to={paths.runs}>All runs</Link>
        </Nothing>
      );
  }
}
