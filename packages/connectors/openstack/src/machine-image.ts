import { setTimeout as pause } from 'node:timers/promises';
import { ConnectorError, isConnectorError, type ConnectorContext, type MachineImage, type Resource } from '@paceline/engine/connector';
import * as z from 'zod';
import { removeFloating, removePort } from './address.ts';
import { imageSchema, nothing, type Image } from './answers.ts';
import { unlessUnknown, unreachable } from './failure.ts';
import { describeServers } from './inventory.ts';
import { removeGroup } from './security-group.ts';
import type { Session } from './session.ts';
import { metadataOf, readMetadata } from './tags.ts';

const lookEveryMs = 2000;
const onTheWay = ['queued', 'saving', 'uploading', 'importing'];

/** Makes an image of a machine, which goes on running, and waits until machines can be launched from it. */
export async function createImage(session: Session, id: string, name: string, { signal }: ConnectorContext): Promise<MachineImage> {
  const [server] = await describeServers(session, [id], signal);
  const tags = server && readMetadata(server.metadata);
  if (tags === undefined) throw new ConnectorError('notFound', `There is no machine ${id} of ours`);
  const { engine, run } = tags.owner;
  const before = await named(session, name, signal);
  if (before !== undefined) throw new ConnectorError('conflict', `There is an image ${name} already`);
  const { image_id: image } = await session
    .ask('compute', {
      doing: `make the image ${name} of ${id}`,
      method: 'POST',
      path: `/servers/${id}/action`,
      body: { createImage: { name, metadata: metadataOf({ owner: { engine, run } }) } },
      schema: z.object({ image_id: z.string() }),
      signal,
    })
    .catch((error: unknown) => {
      throw busy(error);
    });
  const size = await whenActive(session, image, name, signal);
  return { image, id: image, ...(size !== undefined && { bytes: size }) };
}

/** Nova's conflict is one with what the machine does now, such as the rest of an earlier attempt: it may be asked again. */
function busy(error: unknown): unknown {
  if (!isConnectorError(error) || error.code !== 'conflict') return error;
  return new ConnectorError('unavailable', error.message, { ...error.details, cause: error, untouched: true });
}

/** Glance takes any number of images of one name. */
async function named(session: Session, name: string, signal: AbortSignal): Promise<Image | undefined> {
  const { id: project } = await session.project(signal);
  const path = `/images?owner=${project}&name=${encodeURIComponent(name)}`;
  const [first] = await session.all('image', 'images', { doing: `look for an image ${name}`, path, item: imageSchema, signal });
  return first;
}

async function whenActive(session: Session, id: string, name: string, signal: AbortSignal): Promise<number | undefined> {
  const doing = `wait for the image ${name}`;
  for (;;) {
    const { status, size } = await session.ask('image', { doing, path: `/images/${id}`, schema: imageSchema, signal });
    if (status === 'active') return size ?? undefined;
    if (!onTheWay.includes(status)) throw new ConnectorError('internal', `Could not make the image ${name}: it is ${status}`);
    await pause(lookEveryMs, undefined, { signal }).catch((error: unknown) => {
      throw unreachable(doing, error, signal);
    });
  }
}

/** Removes one thing that is no machine. */
export async function removeResource(session: Session, { kind, id }: Resource, signal: AbortSignal): Promise<void> {
  if (kind === 'group') return removeGroup(session, id, signal);
  if (kind === 'address') return removeFloating(session, id, signal);
  if (kind === 'network') return removePort(session, id, signal);
  if (kind !== 'image') throw new ConnectorError('unsupported', `An openstack cloud has no ${kind} ${id} that could be removed by itself`);
  const path = `/images/${encodeURIComponent(id)}`;
  await unlessUnknown(session.ask('image', { doing: `remove the image ${id}`, method: 'DELETE', path, schema: nothing, signal }));
}
