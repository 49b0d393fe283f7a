import { createRouteRef } from '@backstage/frontend-plugin-api';

export const rootRouteRef = createRouteRef();

/** What an address below that of the plugin shows. */
export type Route = { page: 'runs' | 'apps' | 'clouds' | 'unknown' } | { page: 'run' | 'app'; id: string };

/** @param path what follows the address of the plugin */
export function routeOf(path: string): Route {
  const [page = '', id = '', ...rest] = path.split('/').filter((part) => part !== '');
  if (rest.length > 0) return { page: 'unknown' };
  if (page === '') return { page: 'runs' };
  if (page === 'runs' || page === 'apps') {
    return id === '' ? { page } : { page: page === 'runs' ? 'run' : 'app', id: decodeURIComponent(id) };
  }
  return page === 'clouds' && id === '' ? { page } : { page: 'unknown' };
}

/** The addresses of the pages, below that of the plugin. */
export function pathsAt(root: string) {
  return {
    runs: `${root}/runs`,
    run: (id: string): string => `${root}/runs/${encodeURIComponent(id)}`,
    apps: `${root}/apps`,
    app: (id: string): string => `${root}/apps/${encodeURIComponent(id)}`,
    clouds: `${root}/clouds`,
  };
}
