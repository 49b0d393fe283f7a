/** The public connector API: all that a connector package may import from the engine. */
export type { Account, Offer, Quota } from './account.ts';
export type { Capabilities, SharedLaunch } from './capabilities.ts';
export type { Connector, ConnectorContext, ConnectorLog, ConnectorModule } from './connector.ts';
export { ConnectorError, isConnectorError, type ConnectorErrorCode, type ConnectorErrorDetails } from './connector-error.ts';
export { inParallel, partOf, valuesOf, type Outcomes } from './in-parallel.ts';
export { machinesOf, type LaunchRequest, type MachineRequest } from './launch-request.ts';
export { checkLimits } from './limits.ts';
export type { AttachedDisk, Machine, MachineState, Resource, TerminateResult } from './machine.ts';
export type { MachineImage } from './machine-image.ts';
export type { Owner, OwnerQuery } from './owner.ts';
export { machineResource, resourceOf } from './resource.ts';
export { indexOf, matches, readTags, sharedTagsOf, tagsOf, wantedTags, writeTags, type Tags } from './tags.ts';
export type { SshAddress, WayIn } from './way-in.ts';
export type { SshAccess, SshCredential } from '../ssh/access.ts';
