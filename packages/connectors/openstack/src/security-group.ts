import { ConnectorError, type LaunchRequest, type Owner } from '@paceline/engine/connector';
import * as z from 'zod';
import { groupSchema, nothing, type Group } from './answers.ts';
import type { Config } from './config.ts';
import { unlessConflict, unlessUnknown } from './failure.ts';
import type { Session } from './session.ts';
import { descriptionOf, readDescription, sameRun } from './tags.ts';

interface Rule {
  protocol?: string;
  port?: number;
  from?: string;
  /** The ids of groups whose machines may. */
  group?: string;
  ethertype: 'IPv4' | 'IPv6';
}

/** The groups of the project, ours and others. */
export async function listGroups(session: Session, signal: AbortSignal): Promise<Group[]> {
  const { id: project } = await session.project(signal);
  const fields = ['id', 'name', 'description', 'created_at', 'security_group_rules'].map((field) => `fields=${field}`).join('&');
  return session.all('network', 'security_groups', {
    doing: 'list security groups',
    path: `/security-groups?project_id=${project}&${fields}`,
    item: groupSchema,
    signal,
  });
}

/**
 * The groups of launches: one in which all machines of a run reach each other, and one with the ports that the node declares. They are
 * told apart by name, which Neutron does not keep unique: of several the oldest counts, and within this process nobody makes a second.
 */
export class Groups {
  readonly #session: Session;
  readonly #config: Config;
  readonly #making = new Map<string, Promise<string>>();

  constructor(session: Session, config: Config) {
    this.#session = session;
    this.#config = config;
  }

  /** The ids of the groups of a launch. */
  async of({ owner, ports, expiresAt }: LaunchRequest, signal: AbortSignal): Promise<string[]> {
    const { portsFrom, sshFrom, securityGroups } = this.#config;
    const known = await listGroups(this.#session, signal);
    const prefix = `paceline-${owner.engine}-${owner.run}`;
    const description = descriptionOf({ owner: { engine: owner.engine, run: owner.run }, expiresAt });
    const ensure = (name: string, rules: (id: string) => Rule[]): Promise<string> =>
      this.#ensure({ name, description, rules, known: chosen(known, name, owner) }, owner, signal);
    const own = await ensure(prefix, (id) => [
      { group: id, ethertype: 'IPv4' },
      { group: id, ethertype: 'IPv6' },
    ]);
    const open = openRules(ports, { portsFrom, sshFrom });
    const others = open.length === 0 ? [] : [await ensure(`${prefix}-${owner.node}`, () => open)];
    return [own, ...others, ...securityGroups.map((wanted) => named(known, wanted))];
  }

  #ensure(wanted: WantedGroup, owner: Owner, signal: AbortSignal): Promise<string> {
    // Whoever made it may have ended before it had its rules.
    if (wanted.known !== undefined && hasRules(wanted.known)) return Promise.resolve(wanted.known.id);
    const making = this.#making.get(wanted.name) ?? this.#make(wanted, owner, signal).finally(() => this.#making.delete(wanted.name));
    this.#making.set(wanted.name, making);
    return making;
  }

  async #make({ name, description, rules, known }: WantedGroup, owner: Owner, signal: AbortSignal): Promise<string> {
    const id = known?.id ?? (await this.#create(name, description, owner, signal));
    const body = {
      security_group_rules: rules(id).map(({ protocol, port, from, group, ethertype }) => ({
        security_group_id: id,
        direction: 'ingress',
        ethertype,
        ...(protocol !== undefined && { protocol, port_range_min: port, port_range_max: port }),
        ...(from !== undefined && { remote_ip_prefix: from }),
        ...(group !== undefined && { remote_group_id: group }),
      })),
    };
    await unlessConflict(
      this.#session.ask('network', {
        doing: `open ports of ${name}`,
        method: 'POST',
        path: '/security-group-rules',
        body,
        schema: nothing,
        signal,
      }),
    );
    return id;
  }

  async #create(name: string, description: string, owner: Owner, signal: AbortSignal): Promise<string> {
    const { security_group: made } = await this.#session.ask('network', {
      doing: `make the security group ${name}`,
      method: 'POST',
      path: '/security-groups',
      body: { security_group: { name, description } },
      schema: z.object({ security_group: groupSchema }),
      signal,
    });
    const first = chosen(await listGroups(this.#session, signal), name, owner);
    if (first === undefined || first.id === made.id) return made.id;
    await removeGroup(this.#session, made.id, signal);
    return first.id;
  }
}

interface WantedGroup {
  name: string;
  description: string;
  rules: (id: string) => Rule[];
  known: Group | undefined;
}

function hasRules({ security_group_rules: rules }: Group): boolean {
  return rules.some(({ direction }) => direction === 'ingress');
}

function chosen(groups: readonly Group[], name: string, owner: Owner): Group | undefined {
  const isIt = (group: Group): boolean => {
    const tags = readDescription(group.description);
    return group.name === name && tags !== undefined && sameRun(tags.owner, owner);
  };
  return groups.filter(isIt).toSorted((one, other) => one.created_at.localeCompare(other.created_at) || one.id.localeCompare(other.id))[0];
}

function named(groups: readonly Group[], wanted: string): string {
  const found = groups.filter(({ id, name }) => id === wanted || name === wanted);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first.id;
  throw new ConnectorError(
    'invalid',
    `There ${found.length === 0 ? 'is no security group' : 'are several security groups'} ${wanted} in the project`,
    {
      hint: 'Correct `securityGroups` in the configuration of the cloud; ids are unique.',
    },
  );
}

/** Refuses before anything is made what would start, be paid for and never be reached. */
export function checkDoor({ sshFrom, securityGroups }: Config, { tunnelled, ports }: LaunchRequest): void {
  if (tunnelled !== true || sshFrom.length > 0 || securityGroups.length > 0 || ports.some(({ port }) => port === 22)) return;
  throw new ConnectorError('invalid', 'The engine goes to the machines of this cloud by SSH, and port 22 of none of them is open to it', {
    hint: 'Write in the configuration of the cloud `sshFrom: [ADDRESS/32]` with the address of the engine, or `[0.0.0.0/0]` where that changes, as for hosted runners; or `reach: direct` where machines can call the engine.',
  });
}

/** What a node lets in: each once, for Neutron takes none of them when one is there twice. */
export function openRules(ports: LaunchRequest['ports'], { portsFrom, sshFrom }: Pick<Config, 'portsFrom' | 'sshFrom'>): Rule[] {
  const rules = [
    ...ports.flatMap(({ port, protocol }) => portsFrom.map((from) => rule(protocol, port, from))),
    ...sshFrom.map((from) => rule('tcp', 22, from)),
  ];
  return [...new Map(rules.map((each) => [JSON.stringify(each), each])).values()];
}

function rule(protocol: string, port: number, from: string): Rule {
  return { protocol, port, from, ethertype: from.includes(':') ? 'IPv6' : 'IPv4' };
}

/** Removes the groups of runs in which no machine is left. Those that are still held are left to the next time. */
export async function removeGroups(session: Session, owners: readonly Pick<Owner, 'engine' | 'run'>[], signal: AbortSignal): Promise<void> {
  if (owners.length === 0) return;
  for (const { id, description } of await listGroups(session, signal)) {
    const tags = readDescription(description);
    if (tags !== undefined && owners.some((owner) => sameRun(owner, tags.owner))) await unlessConflict(removeGroup(session, id, signal));
  }
}

/** @throws ConnectorError conflict while machines use it */
export async function removeGroup(session: Session, id: string, signal: AbortSignal): Promise<void> {
  const path = `/security-groups/${encodeURIComponent(id)}`;
  await unlessUnknown(
    session.ask('network', { doing: `remove the security group ${id}`, method: 'DELETE', path, schema: nothing, signal }),
  );
}
