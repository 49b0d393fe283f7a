import type { RunSummary } from '@paceline/api';
import { runResourceType, taggedEntity, taggedOwners } from '@paceline/backstage-plugin-common';
import { createConditionExports, createPermissionResourceRef, createPermissionRule } from '@backstage/plugin-permission-node';
import * as z from 'zod';

/** What policies decide on. */
export type RunResource = Pick<RunSummary, 'id' | 'createdBy' | 'project' | 'tags'>;
/** Runs are asked of the server and then filtered here, so a query is the same as looking. */
export type RunFilter = (run: RunResource) => boolean;

export const runResourceRef = createPermissionResourceRef<RunResource, RunFilter>().with({
  pluginId: 'paceline',
  resourceType: runResourceType,
});

/** The user that a run was started by: the server says `user:default/alice via backstage`. */
export function starterOf({ createdBy }: Pick<RunResource, 'createdBy'>): string | undefined {
  return /^(user:[^ ]+) via /.exec(createdBy)?.[1];
}

function isOwner(run: RunResource, { claims }: { claims: string[] }): boolean {
  const starter = starterOf(run);
  const owners = [...(starter === undefined ? [] : [starter]), ...taggedOwners(run.tags)];
  return claims.some((claim) => owners.includes(claim.toLowerCase()));
}

const isRunOwner = createPermissionRule({
  name: 'IS_RUN_OWNER',
  description: 'Allow runs that one of the claims has started, or whose entity one of them owns',
  resourceRef: runResourceRef,
  paramsSchema: z.object({ claims: z.array(z.string()).describe('Entity references, such as those of a user and of their groups') }),
  apply: isOwner,
  toQuery: (params) => (run: RunResource) => isOwner(run, params),
});

const inProject = createPermissionRule({
  name: 'IN_PROJECT',
  description: 'Allow runs of these projects of the server',
  resourceRef: runResourceRef,
  paramsSchema: z.object({ projects: z.array(z.string()) }),
  apply: ({ project }, { projects }) => projects.includes(project),
  toQuery:
    ({ projects }) =>
    (run: RunResource) =>
      projects.includes(run.project),
});

const isOfEntity = createPermissionRule({
  name: 'IS_OF_ENTITY',
  description: 'Allow runs of these entities of the catalog',
  resourceRef: runResourceRef,
  paramsSchema: z.object({ entities: z.array(z.string()) }),
  apply: ({ tags }, { entities }) => entities.includes(taggedEntity(tags) ?? ''),
  toQuery:
    ({ entities }) =>
    (run: RunResource) =>
      entities.includes(taggedEntity(run.tags) ?? ''),
});

export const runRules = { isRunOwner, inProject, isOfEntity };

/** For policies: `createRunConditionalDecision(permission, runConditions.isRunOwner({ claims: user.identity.ownershipEntityRefs }))`. */
export const { conditions: runConditions, createConditionalDecision: createRunConditionalDecision } = createConditionExports({
  resourceRef: runResourceRef,
  rules: runRules,
});
