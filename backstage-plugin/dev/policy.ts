import { createBackendModule } from '@backstage/backend-plugin-api';
import { AuthorizeResult, isResourcePermission, type PolicyDecision } from '@backstage/plugin-permission-common';
import type { PermissionPolicy } from '@backstage/plugin-permission-node';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import { createRunConditionalDecision, runConditions } from '@paceline/backstage-plugin-backend';
import { runReadPermission, runResourceType } from '@paceline/backstage-plugin-common';

/** Everybody may see all runs and start new ones; they are changed by whoever has started them, or owns their entity. */
const policy: PermissionPolicy = {
  async handle({ permission }, user): Promise<PolicyDecision> {
    if (!isResourcePermission(permission, runResourceType) || permission.name === runReadPermission.name) {
      return { result: AuthorizeResult.ALLOW };
    }
    return createRunConditionalDecision(permission, runConditions.isRunOwner({ claims: user?.info.ownershipEntityRefs ?? [] }));
  },
};

export const ownRunsPolicy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'own-runs',
  register(env) {
    env.registerInit({
      deps: { extension: policyExtensionPoint },
      async init({ extension }) {
        extension.setPolicy(policy);
      },
    });
  },
});
