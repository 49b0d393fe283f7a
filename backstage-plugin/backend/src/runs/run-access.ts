import type { RunSummary } from '@paceline/api';
import type { BackstageCredentials, PermissionsRegistryService, PermissionsService } from '@backstage/backend-plugin-api';
import { NotAllowedError, NotFoundError } from '@backstage/errors';
import { AuthorizeResult, type BasicPermission, type ResourcePermission } from '@backstage/plugin-permission-common';
import { createConditionAuthorizer } from '@backstage/plugin-permission-node';
import { runReadPermission, type runResourceType } from '@paceline/backstage-plugin-common';
import type { KnownRuns } from './known-runs.ts';
import { runResourceRef, type RunFilter } from './rules.ts';

export type RunPermission = ResourcePermission<typeof runResourceType>;

/** Who may do what with which run, as the policy of this Backstage says. */
export class RunAccess {
  readonly #permissions: PermissionsService;
  readonly #registry: PermissionsRegistryService;
  readonly #known: KnownRuns;

  constructor(permissions: PermissionsService, registry: PermissionsRegistryService, known: KnownRuns) {
    this.#permissions = permissions;
    this.#registry = registry;
    this.#known = known;
  }

  /** @throws NotAllowedError */
  async require(credentials: BackstageCredentials, permission: BasicPermission): Promise<void> {
    const [answer] = await this.#permissions.authorize([{ permission }], { credentials });
    if (answer?.result !== AuthorizeResult.ALLOW) throw new NotAllowedError(`You are missing the permission ${permission.name}`);
  }

  /** Which runs somebody may do something with, to filter many. */
  async filter(credentials: BackstageCredentials, permission: RunPermission): Promise<RunFilter> {
    const [decision] = await this.#permissions.authorizeConditional([{ permission }], { credentials });
    const holds = createConditionAuthorizer(this.#registry.getPermissionRuleset(runResourceRef));
    return (run) => decision !== undefined && holds(decision, run);
  }

  /**
   * @param text an id, the beginning of one, or a name
   * @returns the run that is meant. @throws NotFoundError when it may not even be seen, NotAllowedError
   */
  async run(credentials: BackstageCredentials, permission: RunPermission, text: string): Promise<Pick<RunSummary, 'id'>> {
    const run = await this.#known.find(text);
    const wanted = permission === runReadPermission ? [runReadPermission] : [runReadPermission, permission];
    for (const each of wanted) {
      if ((await this.filter(credentials, each))(run)) continue;
      if (each === runReadPermission) throw new NotFoundError(`You have no run ${text}`);
      throw new NotAllowedError(`You are missing the permission ${each.name} for this run`);
    }
    return run;
  }

  /** The names of what somebody may do with a run. */
  async rights(credentials: BackstageCredentials, permissions: readonly RunPermission[], text: string): Promise<string[]> {
    const { id } = await this.run(credentials, runReadPermission, text);
    const run = await this.#known.find(id);
    const may = await Promise.all(permissions.map(async (permission) => (await this.filter(credentials, permission))(run)));
    return permissions.filter((_permission, index) => may[index]).map(({ name }) => name);
  }
}
