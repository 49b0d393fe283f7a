import { runResourceType } from '@paceline/backstage-plugin-common';
import { createConditionExports, createPermissionResourceRef, createPermissionRule } from '@backstage/plugin-permission-node';
import * as z from 'zod';
import type { RunResource } from './run-resource.ts';

/** Runs are asked of the server and then filtered here, so a query is the same as looking. */
export type RunFilter = (run: RunResource) => boolean;

export const runResourceRef = createPermissionResourceRef<RunResource, RunFilter>().with({
  pluginId: 'paceline',
  resourceType: runResourceType,
});

function isOwner({ starter, owners }: RunResource, { claims }: { claims: string[] }): boolean {
  // References of entities are the same in whatever case.
  const own = new Set(claims.map((claim) => claim.toLowerCase()));
  return [...(starter === undefined ? [] : [starter]), ...owners].some((owner) => own.has(owner.toLowerCase()));
}

function isOf({ entity }: RunResource, { entities }: { entities: string[] }): boolean {
  return entity !== undefined && entities.some((ref) => ref.toLowerCase() === entity);
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
  apply: isOf,
  toQuery: (params) => (run: RunResource) => isOf(run, params),
});

export const runRules = { isRunOwner, inProject, isOfEntity };

/** For policies: `createRunConditionalDecision(permission, runConditions.isRunOwner({ claims: user?.info.ownershipEntityRefs ?? [] }))`. */
export const { conditions: runConditions, createConditionalDecision: createRunConditionalDecision } = createConditionExports({
  resourceRef: runResourceRef,
  rules: runRules,
});
