/** The pages in an application of the old front-end system. */
import { createApp } from '@backstage/app-defaults';
import { AppRouter, FlatRoutes } from '@backstage/core-app-api';
import { AlertDisplay, OAuthRequestDialog, SignInPage } from '@backstage/core-components';
import { CatalogEntityPage, CatalogIndexPage, catalogPlugin, EntityLayout, EntitySwitch } from '@backstage/plugin-catalog';
import { EntityPacelineCard, EntityPacelineContent, isPacelineAvailable, PacelinePage } from '@paceline/backstage-plugin/old-system';
import '@backstage/ui/css/styles.css';
import { createRoot } from 'react-dom/client';
import { Route } from 'react-router-dom';

const app = createApp({
  plugins: [catalogPlugin],
  components: { SignInPage: (props) => <SignInPage {...props} auto providers={['guest']} /> },
});

const entityPage = (
  <EntityLayout>
    <EntityLayout.Route path="/" title="Overview">
      <EntitySwitch>
        <EntitySwitch.Case if={isPacelineAvailable}>
          <EntityPacelineCard />
        </EntitySwitch.Case>
      </EntitySwitch>
    </EntityLayout.Route>
    <EntityLayout.Route path="/paceline" title="Runs" if={isPacelineAvailable}>
      <EntityPacelineContent />
    </EntityLayout.Route>
  </EntityLayout>
);

const App = app.createRoot(
  <>
    <AlertDisplay />
    <OAuthRequestDialog />
    <AppRouter>
      <FlatRoutes>
        <Route path="/catalog" element={<CatalogIndexPage />} />
        <Route path="/catalog/:namespace/:kind/:name" element={<CatalogEntityPage />}>
          {entityPage}
        </Route>
        <Route path="/paceline" element={<PacelinePage />} />
      </FlatRoutes>
    </AppRouter>
  </>,
);

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App />);
