import { createHash } from 'node:crypto';
import { RunInstancesCommand, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import {
  checkLimits,
  ConnectorError,
  inParallel,
  isConnectorError,
  machinesOf,
  partOf,
  sharedTagsOf,
  tagsOf,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type MachineRequest,
  type Tags,
} from '@paceline/engine/connector';
import type { Account } from './account.ts';
import type { Config } from './config.ts';
import { findImage, templateOf } from './image.ts';
import { toMachine } from './machine.ts';
import { checkDoor, groupsFor } from './security-group.ts';
import { filtersOf, specification } from './tags.ts';

export const limits = { userDataBytes: 16_384, maxBatch: 50, sharedLaunch: { maxBatch: 200, placeKey: 'ds.meta_data.ami_launch_index' } };
/** EC2 takes some five launches at once before it throttles. */
const atOnce = 5;

/**
 * Launches the machines that are not there yet: all by one call where none of them is there and their user data can be shared, for EC2 gives
 * all machines of a call the same; otherwise each by its own. Every call has its own client token.
 */
export async function launchMachines(
  account: Account,
  config: Config,
  request: LaunchRequest,
  context: ConnectorContext,
): Promise<Machine[]> {
  const { signal } = context;
  checkLimits(request, limits);
  checkDoor(config, request);
  const type = instanceType(config, request);
  const there = await findLaunched(account, request, signal);
  // More of those that miss the others of a shared launch are left to the next one, which can share again.
  const missing = request.machines
    .filter(({ index }) => !there.some((machine) => machine.index === index))
    .slice(0, there.length > 0 ? limits.maxBatch : undefined);
  if (missing.length === 0) return there;
  const image = await findImage(account, config, request.image, signal);
  const groups = await groupsFor(account, config, request, signal);
  const common = instanceRequest(config, request, { image, groups, type });
  if (request.shared !== undefined && there.length === 0) {
    return machinesOf(request, await runWhere(account, config, { ...common, ...together(request, request.shared) }, context));
  }
  const { values, failures } = await inParallel(
    missing,
    (machine) => runWhere(account, config, { ...common, ...alone(request, machine) }, context),
    { atOnce, stop: true },
  );
  return machinesOf(request, partOf({ values: [...there, ...values.flat()], failures }, context.log));
}

function instanceType({ instanceTypes }: Config, { cpus = 0, memoryMiB = 0 }: LaunchRequest): string {
  const type = Object.entries(instanceTypes).find(([, size]) => size.cpus >= cpus && size.memoryMiB >= memoryMiB)?.[0];
  if (type !== undefined) return type;
  throw new ConnectorError('invalid', `No instance type has ${cpus} CPUs and ${memoryMiB} MiB of memory`, {
    hint: 'Add one to `instanceTypes` in the configuration of the cloud.',
  });
}

/** Those machines of the launch that are there to stay. */
async function findLaunched(account: Account, request: LaunchRequest, signal: AbortSignal): Promise<Machine[]> {
  const { owner, token } = request;
  const instances = await account.instances(filtersOf({ engine: owner.engine, run: owner.run, token }), signal);
  const staying = instances
    .flatMap((instance) => toMachine(instance) ?? [])
    .filter(({ state }) => state !== 'terminated' && state !== 'stopping');
  return machinesOf(request, staying);
}

/** What is different from one call to another. */
type Call = Pick<RunInstancesCommandInput, 'MinCount' | 'MaxCount' | 'ClientToken' | 'UserData' | 'TagSpecifications'>;

function alone(request: LaunchRequest, { index, name, userData }: MachineRequest): Call {
  return { MinCount: 1, MaxCount: 1, ClientToken: `${request.token}-${index}`, ...marked(userData, tagsOf(request, index), name) };
}

/** As many as can be had. */
function together(request: LaunchRequest, { name, userData }: NonNullable<LaunchRequest['shared']>): Call {
  const tags = sharedTagsOf(request);
  const which = createHash('sha256').update(String(tags.indices)).digest('hex').slice(0, 16);
  return { MinCount: 1, MaxCount: request.machines.length, ClientToken: `${request.token}-${which}`, ...marked(userData, tags, name) };
}

function marked(userData: Uint8Array, tags: Tags, name: string): Pick<Call, 'UserData' | 'TagSpecifications'> {
  const TagSpecifications = specification(['instance', 'volume', 'network-interface'], tags, name);
  return { UserData: Buffer.from(userData).toString('base64'), TagSpecifications };
}

function instanceRequest(
  config: Config,
  request: LaunchRequest,
  { image, groups, type }: { image: string; groups: string[]; type: string },
): Omit<RunInstancesCommandInput, keyof Call> {
  const { subnet, publicAddresses, rootDevice, instanceProfile, launchTemplate } = config;
  return {
    ImageId: image,
    ...(launchTemplate !== undefined && { LaunchTemplate: templateOf(launchTemplate) }),
    InstanceType: type as NonNullable<RunInstancesCommandInput['InstanceType']>,
    // The machine powers itself off at its end of life, and so ends.
    InstanceInitiatedShutdownBehavior: 'terminate',
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 1 },
    NetworkInterfaces: [
      {
        DeviceIndex: 0,
        ...(subnet !== undefined && { SubnetId: subnet }),
        Groups: groups,
        AssociatePublicIpAddress: publicAddresses,
        DeleteOnTermination: true,
      },
    ],
    ...(request.diskGiB !== undefined && {
      BlockDeviceMappings: [
        { DeviceName: rootDevice, Ebs: { VolumeSize: Math.ceil(request.diskGiB), DeleteOnTermination: true, Encrypted: true } },
      ],
    }),
    ...(instanceProfile !== undefined && { IamInstanceProfile: { Name: instanceProfile } }),
  };
}

/** At a spot price where that is wanted and can be had. */
async function runWhere(
  account: Account,
  { spot }: Config,
  input: RunInstancesCommandInput,
  { signal, log }: ConnectorContext,
): Promise<Machine[]> {
  if (spot === undefined) return run(account, input, signal);
  try {
    const SpotOptions = {
      SpotInstanceType: 'one-time' as const,
      ...(spot.maxPrice !== undefined && { MaxPrice: String(spot.maxPrice) }),
    };
    return await run(account, { ...input, InstanceMarketOptions: { MarketType: 'spot', SpotOptions } }, signal);
  } catch (error) {
    const noSpot =
      isConnectorError(error) && (error.code === 'capacity' || error.details.provider?.code === 'MaxSpotInstanceCountExceeded');
    if (!noSpot || !spot.fallback) throw error;
    log.warn(`${error.message}; it is launched on demand`);
    return run(account, { ...input, ClientToken: `${input.ClientToken}-od` }, signal);
  }
}

async function run(account: Account, input: RunInstancesCommandInput, signal: AbortSignal): Promise<Machine[]> {
  const { Instances = [] } = await account.ask(`launch ${input.MaxCount} machines from ${input.ImageId}`, signal, (client, options) =>
    client.send(new RunInstancesCommand(input), options),
  );
  const [first] = Instances;
  if (first === undefined) throw new ConnectorError('unavailable', 'EC2 has answered to a launch without a machine');
  // A token that was used before brings back what it made, also when that has ended.
  const alive = Instances.filter(({ State }) => State?.Name !== 'terminated');
  if (alive.length === 0) throw new ConnectorError('conflict', `${first.InstanceId} of this launch has ended already`);
  return alive.map((instance) => {
    const machine = toMachine(instance);
    if (machine === undefined) throw new ConnectorError('unavailable', `EC2 shows ${instance.InstanceId} without its tags`);
    return machine;
  });
}
