import { pageAt, pathsAt, type PageRoute } from '@paceline/ui';
import { useCallback, useSyncExternalStore } from 'react';

/** What an address shows: one of the pages that all hosts have, or one of those of a server alone. */
export type Route = PageRoute | { page: 'access' } | { page: 'audit' };

export function routeOf(pathname: string): Route {
  if (pathname === '/login') return { page: 'runs' };
  if (pathname === '/access') return { page: 'access' };
  if (pathname === '/audit') return { page: 'audit' };
  return pageAt(pathname);
}

export const paths = pathsAt('');

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
