import type { RunSummary } from '@paceline/api';
import type { BackstageCredentials, PermissionsRegistryService, PermissionsService } from '@backstage/backend-plugin-api';
import { NotAllowedError } from '@backstage/errors';
import { AuthorizeResult, type BasicPermission, type ResourcePermission } from '@backstage/plugin-permission-common';
import { createConditionAuthorizer } from '@backstage/plugin-permission-node';
import { runReadPermission, type runResourceType } from '@paceline/backstage-plugin-common';
import type { KnownRuns } from './known-runs.ts';
import { resourceOf, type RunResource } from './run-resource.ts';
import { runResourceRef, type RunFilter } from './rules.ts';
import type { Self } from './self.ts';

export type RunPermission = ResourcePermission<typeof runResourceType>;

export interface RunAccessDeps {
  permissions: PermissionsService;
  registry: PermissionsRegistryService;
  known: KnownRuns;
  self: Pick<Self, 'name'>;
  /** Runs elsewhere are not there. @default those of all projects are */
  project: string | undefined;
}

/** Who may do what with which run, as the policy of this Backstage says. */
export class RunAccess {
  readonly #deps: RunAccessDeps;

  constructor(deps: RunAccessDeps) {
    this.#deps = deps;
  }

  /** @throws NotAllowedError */
  async require(credentials: BackstageCredentials, permission: BasicPermission): Promise<void> {
    const [answer] = await this.#deps.permissions.authorize([{ permission }], { credentials });
    if (answer?.result !== AuthorizeResult.ALLOW) throw new NotAllowedError(`You are missing the permission ${permission.name}`);
  }

  /** Which of many runs somebody may see. @throws what the server says when it is asked who this Backstage is */
  async seen(credentials: BackstageCredentials): Promise<(run: RunSummary) => boolean> {
    const [isSeen, self] = [await this.#filter(credentials, runReadPermission), await this.#deps.self.name()];
    return (run) => isSeen(resourceOf(run, self));
  }

  /**
   * @param text an id, the beginning of one, or a name
   * @returns the run that is meant. @throws PACELINE_NOT_FOUND when it may not even be seen, NotAllowedError
   */
  async run(credentials: BackstageCredentials, permission: RunPermission, text: string): Promise<RunResource> {
    const run = await this.#deps.known.find(text, await this.#filter(credentials, runReadPermission));
    if (permission === runReadPermission || (await this.#filter(credentials, permission))(run)) return run;
    throw new NotAllowedError(`You are missing the permission ${permission.name} for this run`);
  }

  /** The names of what somebody may do with a run. */
  async rights(credentials: BackstageCredentials, permissions: readonly RunPermission[], text: string): Promise<string[]> {
    const run = await this.run(credentials, runReadPermission, text);
    const may = await Promise.all(permissions.map(async (permission) => (await this.#filter(credentials, permission))(run)));
    return permissions.filter((_permission, index) => may[index]).map(({ name }) => name);
  }

  async #filter(credentials: BackstageCredentials, permission: RunPermission): Promise<RunFilter> {
    const { permissions, registry, project } = this.#deps;
    const [decision] = await permissions.authorizeConditional([{ permission }], { credentials });
    const holds = createConditionAuthorizer(registry.getPermissionRuleset(runResourceRef));
    return (run) => (project === undefined || run.project === project) && decision !== undefined && holds(decision, run);
  }
}
