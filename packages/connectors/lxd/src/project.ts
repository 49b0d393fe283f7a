import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';

export async function hasProject(client: Client, { project }: Config, signal: AbortSignal): Promise<boolean> {
  const path = `/1.0/projects/${encodeURIComponent(project)}`;
  const found = await unlessUnknown(client.get(`look up project ${project}`, path, z.object({ name: z.string() }), { signal }));
  return found !== undefined;
}

/**
 * LXD answers for a project that does not exist as if it were empty. To be asked before the absence of a machine is believed.
 * @throws notFound
 */
export async function requireProject(client: Client, config: Config, signal: AbortSignal): Promise<void> {
  if (!(await hasProject(client, config, signal))) {
    throw new ConnectorError('notFound', `${await client.name()} has no project ${config.project}`, {
      hint: 'Correct `project` in the configuration of the cloud.',
    });
  }
}
