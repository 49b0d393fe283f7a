import { createBackend } from '@backstage/backend-defaults';
import authPlugin from '@backstage/plugin-auth-backend';
import guestProvider from '@backstage/plugin-auth-backend-module-guest-provider';
import catalogPlugin from '@backstage/plugin-catalog-backend';
import templateModel from '@backstage/plugin-catalog-backend-module-scaffolder-entity-model';
import eventsPlugin from '@backstage/plugin-events-backend';
import notificationsPlugin from '@backstage/plugin-notifications-backend';
import permissionPlugin from '@backstage/plugin-permission-backend';
import scaffolderPlugin from '@backstage/plugin-scaffolder-backend';
import signalsPlugin from '@backstage/plugin-signals-backend';
import pacelinePlugin from '@paceline/backstage-plugin-backend';
import pacelineCatalog from '@paceline/backstage-plugin-catalog-backend-module';
import pacelineActions from '@paceline/backstage-plugin-scaffolder-backend-module';
import { ownRunsPolicy } from './policy.ts';

const backend = createBackend();
for (const feature of [
  authPlugin,
  guestProvider,
  permissionPlugin,
  ownRunsPolicy,
  eventsPlugin,
  signalsPlugin,
  notificationsPlugin,
  catalogPlugin,
  templateModel,
  scaffolderPlugin,
  pacelinePlugin,
  pacelineCatalog,
  pacelineActions,
]) {
  backend.add(feature);
}
void backend.start();
