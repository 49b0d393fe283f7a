import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { scaffolderActionsExtensionPoint } from '@backstage/plugin-scaffolder-node';
import { buildImageAction } from './actions/build-image.ts';
import { runAction } from './actions/run.ts';
import { scaleAction } from './actions/scale.ts';
import { terminateAction } from './actions/terminate.ts';
import { waitAction } from './actions/wait.ts';
import { clientsOf } from './clients.ts';

/** The actions `paceline:*` of Software Templates. */
export const pacelineActions = createBackendModule({
  pluginId: 'scaffolder',
  moduleId: 'paceline',
  register(env) {
    env.registerInit({
      deps: { actions: scaffolderActionsExtensionPoint, auth: coreServices.auth, discovery: coreServices.discovery },
      async init({ actions, auth, discovery }) {
        const clientFor = clientsOf(auth, discovery);
        actions.addActions(
          runAction(clientFor),
          waitAction(clientFor),
          terminateAction(clientFor),
          scaleAction(clientFor),
          buildImageAction(clientFor),
        );
      },
    });
  },
});
