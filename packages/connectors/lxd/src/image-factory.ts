import { createHash } from 'node:crypto';
import { ConnectorError, isConnectorError, readTags, writeTags, type ConnectorContext, type Tags } from '@paceline/engine/connector';
import * as z from 'zod';
import { imageSchema, instanceSchema, type Instance } from './answer.ts';
import { createClient, type Client } from './client.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';
import { configPrefix, propertyPrefix } from './tags.ts';

/** An image that was made of a machine. */
export interface ImageRecord {
  /** Its alias, by which a launch names it. */
  name: string;
  fingerprint: string;
  bytes: number;
  owner: Tags['owner'];
  createdAt: Date;
}

/** What belongs to one machine and not to an image. The rest, such as SSH host keys, cloud-init makes anew for a new machine. */
const personal = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

const copyLimit = 240;
const publishLimit = 900;

/**
 * Keeps the disk of a container as an image for others, tagged with the owner of the machine. The machine may run, and goes on: the
 * image is as if its power had been cut. It is made from a copy, which is removed again; if this process dies before, the copy is
 * shown by `list`, as a machine of the same run.
 * @param id the machine's
 * @param name an alias that is free
 * @throws notFound, conflict if there is an image of this name, unsupported for virtual machines
 */
export async function createImage(config: Config, id: string, name: string, context: ConnectorContext): Promise<ImageRecord> {
  const client = createClient(config);
  try {
    return await keep(client, id, name, context);
  } finally {
    client.close();
  }
}

async function keep(client: Client, id: string, name: string, { signal, log }: ConnectorContext): Promise<ImageRecord> {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name)) {
    throw new ConnectorError('invalid', `${name} cannot be the name of an image`);
  }
  const { machine, tags } = await findMachine(client, id, signal);
  const alias = `/1.0/images/aliases/${name}`;
  if ((await unlessUnknown(client.get(`look up image ${name}`, alias, z.unknown(), { signal }).then(() => true))) === true) {
    throw new ConnectorError('conflict', `There is an image ${name} already`);
  }
  const copy = `image-${createHash('sha256').update(`${id} ${name}`).digest('hex').slice(0, 16)}`;
  try {
    await copyMachine(client, machine, copy, tags, signal).catch((error: unknown) => {
      // That of an attempt that has not come to its end; it is removed below.
      throw isConnectorError(error) && error.code === 'conflict' ? new ConnectorError('unavailable', error.message, error.details) : error;
    });
    await forgetItself(client, copy, signal);
    const fingerprint = await publish(client, copy, name, tags, signal);
    const image = await client.get(`look up image ${name}`, `/1.0/images/${fingerprint}`, imageSchema, { signal });
    return { name, fingerprint, bytes: image.size, owner: tags.owner, createdAt: new Date(image.uploaded_at) };
  } finally {
    // Also when the call was aborted: what is left would be in the way of the next attempt.
    const remove = client.change(`remove ${copy}`, 'DELETE', `/1.0/instances/${copy}`, { signal: AbortSignal.timeout(60_000) });
    await unlessUnknown(remove).catch((error: unknown) => log.warn(String(error)));
  }
}

async function findMachine(client: Client, id: string, signal: AbortSignal): Promise<{ machine: Instance; tags: Tags }> {
  const path = `/1.0/instances/${encodeURIComponent(id)}`;
  const machine = await unlessUnknown(client.get(`look up machine ${id}`, path, instanceSchema, { signal }));
  const tags = machine && readTags(machine.config, configPrefix);
  if (machine === undefined || tags === undefined) {
    throw new ConnectorError('notFound', `There is no machine ${id} that an image could be made of`);
  }
  if (machine.type !== 'container') {
    throw new ConnectorError('unsupported', `${id} is a virtual machine: images are made of containers only`);
  }
  return { machine, tags };
}

async function copyMachine(
  client: Client,
  { name, profiles, devices }: Instance,
  copy: string,
  tags: Tags,
  signal: AbortSignal,
): Promise<void> {
  const body = {
    name: copy,
    source: { type: 'copy', source: name, instance_only: true },
    profiles,
    devices: Object.fromEntries(Object.entries(devices ?? {}).filter(([, { type }]) => type === 'disk')),
    // With the token of the machine it would be taken for that.
    config: writeTags({ ...tags, token: copy, index: 0 }, configPrefix),
  };
  await client.change(`copy machine ${name}`, 'POST', '/1.0/instances', { body, limit: copyLimit, signal });
}

/** Machines with the same id would be given the same address. */
async function forgetItself(client: Client, copy: string, signal: AbortSignal): Promise<void> {
  const doing = `make ${copy} forget itself`;
  for (const path of personal) {
    const query = { path };
    const files = `/1.0/instances/${copy}/files`;
    await unlessUnknown(client.change(doing, 'DELETE', files, { query, signal }));
  }
  const headers = {
    'content-type': 'application/octet-stream',
    'X-LXD-type': 'file',
    'X-LXD-mode': '0444',
    'X-LXD-uid': '0',
    'X-LXD-gid': '0',
  };
  await client.change(doing, 'POST', `/1.0/instances/${copy}/files`, {
    query: { path: '/etc/machine-id' },
    headers: { ...headers, ...incus(headers) },
    body: Buffer.alloc(0),
    signal,
  });
}

/** Incus has named these headers after itself. */
function incus(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace('X-LXD-', 'X-Incus-'), value]));
}

async function publish(client: Client, copy: string, name: string, tags: Tags, signal: AbortSignal): Promise<string> {
  const body = {
    source: { type: 'instance', name: copy },
    aliases: [{ name }],
    properties: { description: `${name}, made by Paceline`, ...writeTags({ owner: tags.owner }, propertyPrefix) },
    compression_algorithm: 'none',
  };
  const operation = await client.change(`make image ${name}`, 'POST', '/1.0/images', { body, limit: publishLimit, signal });
  return z.object({ fingerprint: z.string() }).parse(operation?.metadata).fingerprint;
}
