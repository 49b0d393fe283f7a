import { useCallback, useSyncExternalStore } from 'react';

/** What an address shows. */
export type Route = { page: 'runs' | 'apps' | 'clouds' | 'access' | 'unknown' } | { page: 'run' | 'app'; id: string };

export function routeOf(pathname: string): Route {
  const [page = '', id = '', ...rest] = pathname.split('/').slice(1);
  if (rest.length > 0) return { page: 'unknown' };
  if (page === '' || page === 'login') return { page: 'runs' };
  if (page === 'runs' || page === 'apps') {
    return id === '' ? { page } : { page: page === 'runs' ? 'run' : 'app', id: decodeURIComponent(id) };
  }
  return (page === 'clouds' || page === 'access') && id === '' ? { page } : { page: 'unknown' };
}

export const paths = {
  runs: '/runs',
  run: (id: string): string => `/runs/${encodeURIComponent(id)}`,
  apps: '/apps',
  app: (id: string): string => `/apps/${encodeURIComponent(id)}`,
};

function subscribe(changed: () => void): () => void {
  addEventListener('popstate', changed);
  return () => removeEventListener('popstate', changed);
}

/** The address of the page, and how to go to another one of this application. */
export function useAddress(): [pathname: string, navigate: (path: string) => void] {
  const pathname = useSyncExternalStore(subscribe, () => location.pathname);
  const navigate = useCallback((path: string) => {
    history.pushState(null, '', path);
    dispatchEvent(new PopStateEvent('popstate'));
    scrollTo(0, 0);
  }, []);
  return [pathname, navigate];
}
