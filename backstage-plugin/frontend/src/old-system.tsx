import { compatWrapper, convertLegacyRouteRef } from '@backstage/core-compat-api';
import { createComponentExtension, createPlugin, createRoutableExtension } from '@backstage/core-plugin-api';
import { hasDeployment } from './deployment.ts';
import { rootRouteRef } from './routes.ts';

const mountPoint = convertLegacyRouteRef(rootRouteRef);

/** Paceline for applications of the old front-end system, which put its page and its parts of entities where they want them. */
export const pacelinePlugin = createPlugin({ id: 'paceline', routes: { root: mountPoint } });

/** All pages of Paceline, for a route of the application: `/paceline`. */
export const PacelinePage = pacelinePlugin.provide(
  createRoutableExtension({
    name: 'PacelinePage',
    mountPoint,
    component: async () => {
      const { Pages } = await import('./pages.tsx');
      return () => compatWrapper(<Pages />);
    },
  }),
);

/** The tab of an entity: its runs, and the form that starts another. */
export const EntityPacelineContent = pacelinePlugin.provide(
  createComponentExtension({
    name: 'EntityPacelineContent',
    component: {
      lazy: async () => {
        const { EntityRuns } = await import('./entity.tsx');
        return () => compatWrapper(<EntityRuns />);
      },
    },
  }),
);

/** The card of an entity: what runs of it. */
export const EntityPacelineCard = pacelinePlugin.provide(
  createComponentExtension({
    name: 'EntityPacelineCard',
    component: {
      lazy: async () => {
        const { EntityCard } = await import('./entity.tsx');
        return () => compatWrapper(<EntityCard />);
      },
    },
  }),
);

export { hasDeployment as isPacelineAvailable };
