import { createFrontendPlugin, PageBlueprint, type ExtensionDefinition } from '@backstage/frontend-plugin-api';
import { EntityCardBlueprint, EntityContentBlueprint } from '@backstage/plugin-catalog-react/alpha';
import { hasDeployment } from './deployment.ts';
import { rootRouteRef } from './routes.ts';

/** Three machines and what binds them. */
const icon = (
  <svg viewBox="0 0 24 24" width="1em" height="1em" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
    <circle cx="6" cy="6" r="3" />
    <circle cx="18" cy="6" r="3" />
    <circle cx="12" cy="18" r="3" />
    <path d="M9 6h6M7.5 8.6l3 6.8M16.5 8.6l-3 6.8" />
  </svg>
);

const page = PageBlueprint.make({
  params: {
    path: '/paceline',
    title: 'Paceline',
    icon,
    routeRef: rootRouteRef,
    loader: async () => {
      const { Pages } = await import('./pages.tsx');
      return <Pages />;
    },
  },
});

const entityRuns = EntityContentBlueprint.make({
  name: 'runs',
  params: {
    path: '/paceline',
    title: 'Runs',
    group: 'deployment',
    filter: hasDeployment,
    loader: async () => {
      const { EntityRuns } = await import('./entity.tsx');
      return <EntityRuns />;
    },
  },
});

const entityCard = EntityCardBlueprint.make({
  name: 'runs',
  params: {
    type: 'content',
    filter: hasDeployment,
    loader: async () => {
      const { EntityCard } = await import('./entity.tsx');
      return <EntityCard />;
    },
  },
});

/** Paceline in the browser: runs, app store, clouds, and what entities run. */
export const pacelinePlugin = createFrontendPlugin({
  pluginId: 'paceline',
  title: 'Paceline',
  icon,
  routes: { root: rootRouteRef },
  // Its types say that the name of the page, which it has none of, is left out, and then that it is undefined.
  extensions: [page as unknown as ExtensionDefinition, entityRuns, entityCard],
});
