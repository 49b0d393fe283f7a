import { AppPage } from './apps/app-page.tsx';
import { AppsPage } from './apps/apps-page.tsx';
import { CloudsPage } from './clouds/clouds-page.tsx';
import { useHost, Link } from './host.tsx';
import { Nothing } from './parts/notice.tsx';
import { RunPage } from './run/run-page.tsx';
import { RunsPage } from './runs/runs-page.tsx';

/** What an address shows, below that where a host has the pages. */
export type PageRoute = { page: 'runs' | 'apps' | 'clouds' | 'unknown' } | { page: 'run' | 'app'; id: string };

/** @param path what follows the address of the pages; `/` and an empty one are the runs */
export function pageAt(path: string): PageRoute {
  const [page = '', id = '', ...rest] = path.split('/').filter((part) => part !== '');
  if (rest.length > 0) return { page: 'unknown' };
  if (page === '') return { page: 'runs' };
  if (page === 'runs' || page === 'apps') {
    return id === '' ? { page } : { page: page === 'runs' ? 'run' : 'app', id: decoded(id) };
  }
  return page === 'clouds' && id === '' ? { page } : { page: 'unknown' };
}

/** The addresses of the pages. @param root where the host has them, without a slash at its end */
export function pathsAt(root: string) {
  return {
    runs: `${root}/runs`,
    run: (id: string): string => `${root}/runs/${encodeURIComponent(id)}`,
    apps: `${root}/apps`,
    app: (id: string): string => `${root}/apps/${encodeURIComponent(id)}`,
    clouds: `${root}/clouds`,
  };
}

/** The ways to the pages. @param page that is shown */
export function PageLinks({ root, page }: { root: string; page: string }) {
  const { runs, apps, clouds } = pathsAt(root);
  return (
    <>
      <Link to={runs} current={page === 'runs' || page === 'run'}>
        Runs
      </Link>
      <Link to={apps} current={page === 'apps' || page === 'app'}>
        App store
      </Link>
      <Link to={clouds} current={page === 'clouds'}>
        Clouds
      </Link>
    </>
  );
}

/** One of the pages. Give it the address as its `key`: what is on one of them is nothing to another. */
export function Page({ route }: { route: PageRoute }) {
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

/** What is no address of ours is shown as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
