import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type IpPermission,
} from '@aws-sdk/client-ec2';
import { ConnectorError, isConnectorError, type LaunchRequest, type Owner } from '@paceline/engine/connector';
import type { Account } from './account.ts';
import type { Config } from './config.ts';
import { isUnknown } from './failure.ts';
import { filtersOf, specification } from './tags.ts';

/**
 * The groups of a launch: one in which all machines of the run reach each other, and one with the ports that the node declares. Made
 * when they are missing; their names are unique in the network, so that whoever comes second finds them.
 */
export async function groupsFor(account: Account, config: Config, request: LaunchRequest, signal: AbortSignal): Promise<string[]> {
  const { owner, ports, expiresAt } = request;
  const vpc = await findNetwork(account, config, signal);
  const prefix = `paceline-${owner.engine.slice(0, 40)}-${owner.run}`;
  const ensure = (name: string, rulesOf: (id: string) => IpPermission[]): Promise<string> =>
    ensureGroup(account, { name, vpc, owner, expiresAt }, rulesOf, signal);
  const groups = [await ensure(prefix, (id) => [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: id }] }])];
  const open = openRules(ports, config);
  if (open.length > 0) groups.push(await ensure(`${prefix}-${owner.node}`, () => open));
  return [...groups, ...config.securityGroups];
}

/** Refuses before anything is made what would start, be paid for and never be reached. */
export function checkDoor({ sshFrom, securityGroups }: Config, { tunnelled, ports }: LaunchRequest): void {
  if (tunnelled !== true || sshFrom.length > 0 || securityGroups.length > 0 || ports.some(({ port }) => port === 22)) return;
  throw new ConnectorError('invalid', 'The engine goes to the machines of this cloud by SSH, and port 22 of none of them is open to it', {
    hint: 'Write in the configuration of the cloud `sshFrom: [ADDRESS/32]` with the address of the engine, or `[0.0.0.0/0]` where that changes, as for hosted runners; or `reach: direct` where machines can call the engine.',
  });
}

/** What a node lets in: each once, for EC2 takes none of them when one is there twice. */
export function openRules(ports: LaunchRequest['ports'], { portsFrom, sshFrom }: Pick<Config, 'portsFrom' | 'sshFrom'>): IpPermission[] {
  const wanted = [...ports.map((each) => ({ ...each, from: portsFrom })), { port: 22, protocol: 'tcp', from: sshFrom }];
  const byPort = Map.groupBy(wanted, ({ port, protocol }) => `${protocol} ${port}`);
  return [...byPort.values()].flatMap((same) => {
    const [first] = same;
    const from = [...new Set(same.flatMap((each) => each.from))];
    return first === undefined || from.length === 0 ? [] : [rule(first.protocol, first.port, from)];
  });
}

function rule(protocol: string, port: number, from: readonly string[]): IpPermission {
  const v6 = from.filter((range) => range.includes(':'));
  const v4 = from.filter((range) => !range.includes(':'));
  return {
    IpProtocol: protocol,
    FromPort: port,
    ToPort: port,
    ...(v4.length > 0 && { IpRanges: v4.map((CidrIp) => ({ CidrIp })) }),
    ...(v6.length > 0 && { Ipv6Ranges: v6.map((CidrIpv6) => ({ CidrIpv6 })) }),
  };
}

async function findNetwork(account: Account, { subnet }: Config, signal: AbortSignal): Promise<string> {
  if (subnet !== undefined) {
    const { Subnets } = await account.ask(`find ${subnet}`, signal, (client, options) =>
      client.send(new DescribeSubnetsCommand({ SubnetIds: [subnet] }), options),
    );
    return Subnets?.[0]?.VpcId ?? '';
  }
  const { Vpcs } = await account.ask('find the default VPC', signal, (client, options) =>
    client.send(new DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }), options),
  );
  const vpc = Vpcs?.[0]?.VpcId;
  if (vpc === undefined)
    throw new ConnectorError('invalid', 'The region has no default VPC', { hint: 'Set `subnet` to a subnet of yours.' });
  return vpc;
}

interface Group {
  name: string;
  vpc: string;
  owner: Owner;
  expiresAt: Date;
}

async function ensureGroup(
  account: Account,
  { name, vpc, owner, expiresAt }: Group,
  rulesOf: (id: string) => IpPermission[],
  signal: AbortSignal,
): Promise<string> {
  const filters = [
    { Name: 'group-name', Values: [name] },
    { Name: 'vpc-id', Values: [vpc] },
  ];
  const [known] = await account.groups(filters, signal);
  const id = known?.GroupId ?? (await createGroup(account, { name, vpc, owner, expiresAt }, filters, signal));
  // Whoever made it may have ended before it had its rules.
  if ((known?.IpPermissions ?? []).length > 0) return id;
  const allow = new AuthorizeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: rulesOf(id) });
  await account.ask(`open ports of ${name}`, signal, (client, options) => client.send(allow, options)).catch(unlessConflict);
  return id;
}

async function createGroup(
  account: Account,
  { name, vpc, owner, expiresAt }: Group,
  filters: { Name: string; Values: string[] }[],
  signal: AbortSignal,
): Promise<string> {
  const create = new CreateSecurityGroupCommand({
    GroupName: name,
    Description: `Machines of run ${owner.run}`,
    VpcId: vpc,
    TagSpecifications: specification(['security-group'], { owner, expiresAt }, name),
  });
  try {
    const { GroupId } = await account.ask(`make the security group ${name}`, signal, (client, options) => client.send(create, options));
    return GroupId ?? '';
  } catch (error) {
    unlessConflict(error);
    const [other] = await account.groups(filters, signal);
    if (other?.GroupId === undefined) throw error;
    return other.GroupId;
  }
}

/** Somebody else was faster. */
function unlessConflict(error: unknown): void {
  if (!(isConnectorError(error) && error.code === 'conflict')) throw error;
}

/** Removes the groups of a run in which no machine is left. Those that EC2 still holds are left to the next time. */
export async function removeGroups(account: Account, { engine, run }: Pick<Owner, 'engine' | 'run'>, signal: AbortSignal): Promise<void> {
  const filters = filtersOf({ engine, run });
  const live = { Name: 'instance-state-name', Values: ['pending', 'running', 'shutting-down', 'stopping', 'stopped'] };
  const [machines, groups] = await Promise.all([account.instances([...filters, live], signal), account.groups(filters, signal)]);
  if (machines.length > 0) return;
  for (const { GroupId } of groups) if (GroupId !== undefined) await removeGroup(account, GroupId, signal).catch(unlessConflict);
}

/** @throws ConnectorError conflict while machines use it */
export async function removeGroup(account: Account, id: string, signal: AbortSignal): Promise<void> {
  const remove = new DeleteSecurityGroupCommand({ GroupId: id });
  await account
    .ask(`remove the security group ${id}`, signal, (client, options) => client.send(remove, options))
    .catch((error: unknown) => {
      // Of a group that has just gone EC2 says the same as of one that it does not show yet.
      const isGone = isConnectorError(error) && error.details.provider?.code?.startsWith('InvalidGroup') === true;
      if (!isGone && !isUnknown(error)) throw error;
    });
}
