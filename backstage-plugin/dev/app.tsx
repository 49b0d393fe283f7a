import { SignInPage } from '@backstage/core-components';
import { createApp } from '@backstage/frontend-defaults';
import { createFrontendModule } from '@backstage/frontend-plugin-api';
import { SignInPageBlueprint } from '@backstage/plugin-app-react';
import catalogPlugin from '@backstage/plugin-catalog/alpha';
import scaffolderPlugin from '@backstage/plugin-scaffolder/alpha';
import pacelinePlugin from '@paceline/backstage-plugin';
import '@backstage/ui/css/styles.css';
import { createRoot } from 'react-dom/client';

const guests = createFrontendModule({
  pluginId: 'app',
  extensions: [
    SignInPageBlueprint.make({
      params: { loader: async () => (props) => <SignInPage {...props} providers={['guest']} /> },
    }),
  ],
});

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(createApp({ features: [guests, catalogPlugin, scaffolderPlugin, pacelinePlugin] }).createRoot());
