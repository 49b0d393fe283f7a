export { backendClient, pluginClient, type SendToPlugin } from './client.ts';
export { entityTag, ownerTag, taggedEntity, taggedOwners } from './tags.ts';
export {
  imageBuildPermission,
  lookPermission,
  pacelinePermissions,
  runCreatePermission,
  runReadPermission,
  runResourceType,
  runScalePermission,
  runTerminatePermission,
  runUpdatePermission,
} from './permissions.ts';
