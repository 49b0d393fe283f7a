import {
  inParallel,
  resourceOf,
  valuesOf,
  type LaunchRequest,
  type MachineRequest,
  type Resource,
  type Tags,
} from '@paceline/engine/connector';
import * as z from 'zod';
import { floatingSchema, nothing, portSchema, type Floating, type Port } from './answers.ts';
import { unlessUnknown } from './failure.ts';
import type { Session } from './session.ts';
import { descriptionOf, readDescription } from './tags.ts';

interface OwnAddresses {
  ports: Port[];
  floating: Floating[];
}

/** The ports and floating addresses of the project that are ours, with what they say of themselves. */
export async function ownAddresses(session: Session, signal: AbortSignal): Promise<OwnAddresses> {
  const { id: project } = await session.project(signal);
  const [ports, floating] = await Promise.all([
    session.all('network', 'ports', {
      doing: 'list ports',
      path: `/ports?project_id=${project}&fields=id&fields=name&fields=description&fields=device_id`,
      item: portSchema,
      signal,
    }),
    session.all('network', 'floatingips', {
      doing: 'list floating addresses',
      path: `/floatingips?project_id=${project}&fields=id&fields=description&fields=floating_ip_address&fields=port_id`,
      item: floatingSchema,
      signal,
    }),
  ]);
  const isOurs = ({ description }: { description?: string | null | undefined }): boolean => readDescription(description) !== undefined;
  return { ports: ports.filter(isOurs), floating: floating.filter(isOurs) };
}

/** What tells the addresses of a machine. */
export interface Place {
  token: string;
  index: number;
}

/** Nothing for a machine without a token. */
export function placesOf({ token, index }: Tags): Place[] {
  return token === undefined || index === undefined ? [] : [{ token, index }];
}

function isAt(description: string | null | undefined, { token, index }: Place): boolean {
  const tags = readDescription(description);
  return tags?.token === token && tags.index === index;
}

export interface Wanted {
  network: string;
  outside: string;
  groups: string[];
}

/**
 * Ports with floating addresses, one for each machine: an address can be had only for a port, and that of a machine is there only some
 * time after its launch. What an earlier launch with this token has made is taken again.
 * @returns the ports by the numbers of the machines
 */
export async function addressesFor(
  session: Session,
  request: LaunchRequest,
  machines: readonly MachineRequest[],
  { network, outside, groups }: Wanted,
  signal: AbortSignal,
): Promise<Map<number, string>> {
  const known = await ownAddresses(session, signal);
  const describe = (index: number): string => descriptionOf(placeTags(request, index));
  const at = (index: number): Place => ({ token: request.token, index });
  const missing = machines.filter(({ index }) => !known.ports.some(({ description }) => isAt(description, at(index))));
  const made =
    missing.length === 0
      ? { ports: [] }
      : await session.ask('network', {
          doing: `make ${missing.length} ports`,
          method: 'POST',
          path: '/ports',
          body: {
            ports: missing.map(({ index, name }) => ({ network_id: network, name, description: describe(index), security_groups: groups })),
          },
          schema: z.object({ ports: z.array(portSchema) }),
          signal,
        });
  const ports = new Map<number, string>();
  for (const { id, description } of [...known.ports, ...made.ports]) {
    const tags = readDescription(description);
    if (tags?.token === request.token && tags.index !== undefined) ports.set(tags.index, id);
  }
  const unreached = machines.filter(({ index }) => !known.floating.some(({ description }) => isAt(description, at(index))));
  const reached = await inParallel(
    unreached,
    async ({ index, name }) => {
      await session.ask('network', {
        doing: `get a floating address for ${name}`,
        method: 'POST',
        path: '/floatingips',
        body: { floatingip: { floating_network_id: outside, port_id: ports.get(index), description: describe(index) } },
        schema: nothing,
        signal,
      });
    },
    { stop: true },
  );
  valuesOf(reached);
  return ports;
}

/** A description takes 255 characters: the name of the node is left out. */
function placeTags({ owner: { engine, run }, token, expiresAt }: LaunchRequest, index: number): Tags {
  return { owner: { engine, run }, token, index, expiresAt };
}

/** Ports and addresses of ours that no machine has. @param taken by machines, which get theirs only some time after their launch */
export function leftOf({ ports, floating }: OwnAddresses, taken: readonly Place[]): (Resource | undefined)[] {
  const isTaken = ({ description }: Port | Floating): boolean => taken.some((place) => isAt(description, place));
  const left = ports.filter((port) => port.device_id === '' && !isTaken(port));
  const isLeft = (each: Floating): boolean => (each.port_id === null && !isTaken(each)) || left.some(({ id }) => id === each.port_id);
  return [
    ...floating
      .filter(isLeft)
      .map(({ id, floating_ip_address: name, description }) => resourceOf({ kind: 'address', id, name }, readDescription(description))),
    ...left.map(({ id, name, description }) => resourceOf({ kind: 'network', id, name }, readDescription(description))),
  ];
}

/** Gives back what machines had that are gone. */
export async function releaseAddresses(session: Session, places: readonly Place[], signal: AbortSignal): Promise<void> {
  if (places.length === 0) return;
  const { ports, floating } = await ownAddresses(session, signal);
  const isTheirs = ({ description }: Port | Floating): boolean => places.some((place) => isAt(description, place));
  const removed = await inParallel(floating.filter(isTheirs), ({ id }) => removeFloating(session, id, signal), { stop: true });
  valuesOf(await inParallel(ports.filter(isTheirs), ({ id }) => removePort(session, id, signal), { stop: true }));
  valuesOf(removed);
}

export async function removeFloating(session: Session, id: string, signal: AbortSignal): Promise<void> {
  const path = `/floatingips/${encodeURIComponent(id)}`;
  await unlessUnknown(
    session.ask('network', { doing: `give back the floating address ${id}`, method: 'DELETE', path, schema: nothing, signal }),
  );
}

export async function removePort(session: Session, id: string, signal: AbortSignal): Promise<void> {
  const path = `/ports/${encodeURIComponent(id)}`;
  await unlessUnknown(session.ask('network', { doing: `remove the port ${id}`, method: 'DELETE', path, schema: nothing, signal }));
}
