import { Page, pageAt, PageLinks } from '@paceline/ui';
import { useRouteRef } from '@backstage/frontend-plugin-api';
import { useLocation } from 'react-router-dom';
import { Paceline } from './paceline.tsx';
import { rootRouteRef } from './routes.ts';

/** All pages of Paceline, at the address of the plugin. */
export function Pages() {
  const root = useRouteRef(rootRouteRef)?.() ?? '/paceline';
  const { pathname } = useLocation();
  const at = pathname.indexOf(root);
  const route = pageAt(at < 0 ? '' : pathname.slice(at + root.length));
  return (
    <Paceline>
      <div className="plb-page">
        <nav className="plb-nav" aria-label="Paceline">
          <PageLinks root={root} page={route.page} />
        </nav>
        <Page key={pathname} route={route} />
      </div>
    </Paceline>
  );
}
