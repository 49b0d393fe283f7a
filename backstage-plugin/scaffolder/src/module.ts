import { coreServices, createBackendModule } from '@backstage/backend-plugin-api';
import { scaffolderActionsExtensionPoint, scaffolderServiceRef } from '@backstage/plugin-scaffolder-node';
import { buildImageAction } from './actions/build-image.ts';
import { runAction } from './actions/run.ts';
import { scaleAction } from './actions/scale.ts';
import { terminateAction } from './actions/terminate.ts';
import { waitAction } from './actions/wait.ts';
import { clientsOf } from './clients.ts';
import { pastFrom, tasksOf } from './tasks.ts';

/** The actions `paceline:*` of Software Templates. */
export const pacelineActions = createBackendModule({
  pluginId: 'scaffolder',
  moduleId: 'paceline',
  register(env) {
    env.registerInit({
      deps: {
        actions: scaffolderActionsExtensionPoint,
        auth: coreServices.auth,
        discovery: coreServices.discovery,
        scaffolder: scaffolderServiceRef,
      },
      async init({ actions, auth, discovery, scaffolder }) {
        const tasks = tasksOf(clientsOf(auth, discovery), pastFrom(scaffolder, auth));
        actions.addActions(runAction(tasks), waitAction(tasks), terminateAction(tasks), scaleAction(tasks), buildImageAction(tasks));
      },
    });
  },
});
