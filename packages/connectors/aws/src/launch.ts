import { RunInstancesCommand, type Instance, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import {
  ConnectorError,
  isConnectorError,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type MachineRequest,
} from '@paceline/engine/connector';
import type { Account } from './account.ts';
import type { Config } from './config.ts';
import { findImage } from './image.ts';
import { toMachine } from './machine.ts';
import { groupsFor } from './security-group.ts';
import { filtersOf, specification, tagsOf } from './tags.ts';

export const userDataLimit = 16_384;
export const batchLimit = 50;
/** EC2 takes some five launches at once before it throttles. */
const atOnce = 5;

/**
 * Launches the machines that are not there yet. EC2 gives all machines of one call the same user data, and those of Paceline hold a secret
 * each, so that machines with different user data are launched by calls of their own. Every call has its own client token.
 */
export async function launchMachines(
  account: Account,
  config: Config,
  request: LaunchRequest,
  context: ConnectorContext,
): Promise<Machine[]> {
  const { signal } = context;
  const type = checkRequest(config, request);
  const there = new Map((await findLaunched(account, request, signal)).map((machine) => [machine.index, machine]));
  const missing = request.machines.filter(({ index }) => !there.has(index));
  if (missing.length > 0) {
    const image = await findImage(account, config, request.image, signal);
    const groups = await groupsFor(account, config, request, signal);
    const failures = await inTurns(missing, async (machine) => {
      const input = instanceRequest(config, request, machine, { image, groups, type });
      const instance = await launchOne(account, config, input, context);
      const made = toMachine(instance);
      if (made !== undefined) there.set(machine.index, made);
    });
    const [first] = failures;
    // What could be had is told, so that the engine asks for the others alone.
    if (first !== undefined && there.size === 0) throw first;
    for (const failure of failures) context.log.warn(String(failure));
  }
  return request.machines.flatMap(({ index }) => there.get(index) ?? []);
}

/** @returns the instance type */
function checkRequest({ instanceTypes }: Config, { machines, cpus = 0, memoryMiB = 0 }: LaunchRequest): string {
  if (machines.length > batchLimit) {
    throw new ConnectorError('invalid', `A launch of ${machines.length} machines is over the limit of ${batchLimit}`);
  }
  for (const { name, userData } of machines) {
    if (userData.length > userDataLimit) {
      throw new ConnectorError('invalid', `The user data of ${name} has ${userData.length} bytes, over the limit of ${userDataLimit}`);
    }
  }
  const type = Object.entries(instanceTypes).find(([, size]) => size.cpus >= cpus && size.memoryMiB >= memoryMiB)?.[0];
  if (type !== undefined) return type;
  throw new ConnectorError('invalid', `No instance type has ${cpus} CPUs and ${memoryMiB} MiB of memory`, {
    hint: 'Add one to `instanceTypes` in the configuration of the cloud.',
  });
}

async function findLaunched(account: Account, { owner, token }: LaunchRequest, signal: AbortSignal): Promise<Machine[]> {
  const instances = await account.instances(filtersOf({ engine: owner.engine, run: owner.run, token }), signal);
  return instances.flatMap((instance) => toMachine(instance) ?? []).filter(({ state }) => state !== 'terminated' && state !== 'stopping');
}

function instanceRequest(
  config: Config,
  request: LaunchRequest,
  { index, name, userData }: MachineRequest,
  { image, groups, type }: { image: string; groups: string[]; type: string },
): RunInstancesCommandInput {
  const { subnet, publicAddresses, rootDevice, instanceProfile } = config;
  return {
    ImageId: image,
    InstanceType: type as NonNullable<RunInstancesCommandInput['InstanceType']>,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: `${request.token}-${index}`,
    UserData: Buffer.from(userData).toString('base64'),
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
    TagSpecifications: specification(['instance', 'volume', 'network-interface'], tagsOf(request, index), name),
  };
}

/** At a spot price where that is wanted and can be had. */
async function launchOne(
  account: Account,
  { spot }: Config,
  input: RunInstancesCommandInput,
  { signal, log }: ConnectorContext,
): Promise<Instance> {
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

async function run(account: Account, input: RunInstancesCommandInput, signal: AbortSignal): Promise<Instance> {
  const { Instances } = await account.ask(`launch a machine from ${input.ImageId}`, signal, (client, options) =>
    client.send(new RunInstancesCommand(input), options),
  );
  const [instance] = Instances ?? [];
  if (instance === undefined) throw new ConnectorError('unavailable', 'EC2 has answered to a launch without a machine');
  // A token that was used before brings back what it made, also when that has ended.
  if (instance.State?.Name === 'terminated')
    throw new ConnectorError('conflict', `${instance.InstanceId} of this launch has ended already`);
  return instance;
}

/** Does the work on all, a few at once. @returns the failures */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<Error[]> {
  const left = [...items];
  const failures: Error[] = [];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
        // Whatever it was, it will be the same for the others, or is better not made worse.
        left.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return failures;
}
