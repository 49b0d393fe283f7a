import type { BasicPermission } from '@backstage/plugin-permission-common';
import {
  lookPermission,
  runReadPermission,
  runScalePermission,
  runTerminatePermission,
  runUpdatePermission,
} from '@paceline/backstage-plugin-common';
import type { RunPermission } from '../runs/run-access.ts';

/** A route of the server that is handed on, with what it takes; `:run` in its path is the run that the permission is about. */
export type ForwardedRoute = { method: 'get' | 'post' | 'put' | 'delete'; path: string } & (
  | { permission: BasicPermission }
  | { run: RunPermission; reveal?: RunPermission }
);

const run = '/api/runs/:run';

/** What Backstage hands on as it is; beside it the router has a few routes of its own. */
export const forwardedRoutes: readonly ForwardedRoute[] = [
  { method: 'get', path: '/api/info', permission: lookPermission },
  { method: 'get', path: '/api/clouds', permission: lookPermission },
  { method: 'get', path: '/api/modules', permission: lookPermission },
  { method: 'get', path: '/api/modules/:module', permission: lookPermission },
  { method: 'get', path: '/api/images', permission: lookPermission },
  { method: 'get', path: run, run: runReadPermission },
  { method: 'delete', path: run, run: runTerminatePermission },
  { method: 'post', path: `${run}/abort`, run: runTerminatePermission },
  { method: 'delete', path: `${run}/abort`, run: runUpdatePermission },
  { method: 'post', path: `${run}/scale`, run: runScalePermission },
  { method: 'get', path: `${run}/parameters`, run: runReadPermission },
  { method: 'get', path: `${run}/parameters/:key`, run: runReadPermission, reveal: runUpdatePermission },
  { method: 'put', path: `${run}/parameters/:key`, run: runUpdatePermission },
  { method: 'delete', path: `${run}/parameters/:key`, run: runUpdatePermission },
  { method: 'get', path: `${run}/events`, run: runReadPermission },
  { method: 'get', path: `${run}/logs`, run: runReadPermission },
  { method: 'get', path: `${run}/reports`, run: runReadPermission },
  { method: 'get', path: `${run}/reports/:name`, run: runReadPermission },
  { method: 'get', path: `${run}/instances/:instance/console`, run: runReadPermission },
  { method: 'post', path: `${run}/instances/:instance/way-in`, run: runUpdatePermission },
];
