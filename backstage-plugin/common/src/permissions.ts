import { createPermission } from '@backstage/plugin-permission-common';

/** Runs, as policies know them. */
export const runResourceType = 'paceline-run';

export const runCreatePermission = createPermission({ name: 'paceline.run.create', attributes: { action: 'create' } });
/** Looks at a run: its instances, output, parameters, events and reports. */
export const runReadPermission = createPermission({
  name: 'paceline.run.read',
  attributes: { action: 'read' },
  resourceType: runResourceType,
});
/** Sets parameters, takes the abort flag down, gets onto machines. */
export const runUpdatePermission = createPermission({
  name: 'paceline.run.update',
  attributes: { action: 'update' },
  resourceType: runResourceType,
});
export const runScalePermission = createPermission({
  name: 'paceline.run.scale',
  attributes: { action: 'update' },
  resourceType: runResourceType,
});
/** Ends a run, in its time or by an abort. */
export const runTerminatePermission = createPermission({
  name: 'paceline.run.terminate',
  attributes: { action: 'delete' },
  resourceType: runResourceType,
});
export const imageBuildPermission = createPermission({ name: 'paceline.image.build', attributes: { action: 'create' } });
/** Looks at what belongs to no run: published modules, images, clouds and their use. */
export const lookPermission = createPermission({ name: 'paceline.look', attributes: { action: 'read' } });

export const pacelinePermissions = [
  lookPermission,
  runCreatePermission,
  runReadPermission,
  runUpdatePermission,
  runScalePermission,
  runTerminatePermission,
  imageBuildPermission,
];
