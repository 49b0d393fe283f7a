import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import { imageSchema } from './answer.ts';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';

/** How long an image server may take, in seconds. What is not there by then still comes, for the next attempt. */
const downloadLimit = 280;

/**
 * The fingerprint of an image in the server's own store. One of a remote is brought there first: so nothing of the machines
 * exists, unseen, while it is on its way.
 * @param image `[REMOTE:]ALIAS` or a fingerprint, of which 12 characters are enough
 * @throws notFound, invalid
 */
export async function findImage(client: Client, config: Config, image: string, signal: AbortSignal): Promise<string> {
  if (image === '') {
    throw new ConnectorError('invalid', 'No image is named', { hint: 'Name one in the module, or set `image` of the cloud.' });
  }
  const [, remote, name = ''] = /^(?:([^:]+):)?(.*)$/.exec(image) ?? [];
  if (remote !== undefined) {
    return bringImage(client, config, remote, name, signal);
  }
  const found = await findLocalImage(client, image, signal);
  if (found === undefined) {
    throw new ConnectorError('notFound', `${await client.name()} has no image ${image}`, {
      hint: `The names are listed by \`lxc image list --project ${config.project}\`; those of a remote are written REMOTE:NAME.`,
    });
  }
  return found;
}

/** The fingerprint of an image that the server has, by alias or by the beginning of the fingerprint. */
export async function findLocalImage(client: Client, image: string, signal: AbortSignal): Promise<string | undefined> {
  return (await findAlias(client, image, signal)) ?? findFingerprint(client, image, signal);
}

async function findAlias(client: Client, name: string, signal: AbortSignal): Promise<string | undefined> {
  const path = `/1.0/images/aliases/${encodeURIComponent(name)}`;
  return (await unlessUnknown(client.get(`look up image ${name}`, path, z.object({ target: z.string() }), { signal })))?.target;
}

async function findFingerprint(client: Client, text: string, signal: AbortSignal): Promise<string | undefined> {
  if (!isFingerprint(text)) {
    return undefined;
  }
  return (await unlessUnknown(client.get(`look up image ${text}`, `/1.0/images/${text}`, imageSchema, { signal })))?.fingerprint;
}

function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{12,64}$/.test(text);
}

async function bringImage(client: Client, config: Config, remote: string, name: string, signal: AbortSignal): Promise<string> {
  const place = config.remotes[remote];
  if (place === undefined) {
    throw new ConnectorError('notFound', `There is no remote ${remote}`, {
      hint: 'Add it to `remotes` in the configuration of the cloud.',
    });
  }
  const source = {
    type: 'image',
    mode: 'pull',
    ...place,
    ...(isFingerprint(name) ? { fingerprint: name } : { alias: name }),
    image_type: config.type,
  };
  const doing = `bring the image ${name} from ${place.server}`;
  const operation = await client.change(doing, 'POST', '/1.0/images', { body: { source }, limit: downloadLimit, signal });
  return z.object({ fingerprint: z.string() }).parse(operation?.metadata).fingerprint;
}
