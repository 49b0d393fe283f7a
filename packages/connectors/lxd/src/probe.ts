import { ConnectorError, type Account, type ConnectorContext } from '@paceline/engine/connector';
import * as z from 'zod';
import { profileSchema, serverSchema } from './answer.ts';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';
import { findLocalImage } from './image.ts';
import { hasProject } from './project.ts';
import { findRootDisk } from './root-disk.ts';

interface Problem {
  what: string;
  remedy: string;
}

/**
 * Checks that the server lets us in, and has what the configuration names.
 * @throws auth, notFound with all that is missing, unsupported
 */
export async function probeServer(client: Client, config: Config, { signal }: ConnectorContext): Promise<Account> {
  const server = await client.get('ask for the server', '/1.0', serverSchema, { signal });
  const name = await client.name();
  if (server.auth !== 'trusted') {
    throw new ConnectorError('auth', `${name} does not trust us`, {
      hint: 'Have the client certificate trusted: `lxc config trust add FILE` on the server.',
    });
  }
  const driver = server.environment?.driver ?? '';
  if (config.type === 'virtual-machine' && !driver.includes('qemu')) {
    throw new ConnectorError('unsupported', `${name} cannot run virtual machines: its drivers are ${driver}`, {
      hint: 'Its host needs QEMU and /dev/kvm. Containers need neither: `type: container`.',
    });
  }
  const problems = await findProblems(client, config, signal);
  if (problems.length > 0) {
    throw new ConnectorError(
      'notFound',
      `${name} lacks what the cloud is configured with: ${problems.map(({ what }) => what).join('; ')}`,
      {
        hint: problems.map(({ remedy }) => remedy).join(' '),
      },
    );
  }
  return { account: `${server.environment?.server_name ?? name}/${config.project}`, regions: [server.environment?.server_name ?? name] };
}

async function findProblems(client: Client, config: Config, signal: AbortSignal): Promise<Problem[]> {
  const has = async (path: string): Promise<boolean> =>
    (await unlessUnknown(client.get(`look up ${path}`, path, z.unknown(), { signal }).then(() => true))) ?? false;
  const { project, profiles, pool, image } = config;
  if (!(await hasProject(client, config, signal))) {
    return [{ what: `there is no project ${project}`, remedy: `\`lxc project create ${project}\`, or correct \`project\`.` }];
  }
  const problems: Problem[] = [];
  for (const profile of profiles) {
    const found = await unlessUnknown(
      client.get(`look up profile ${profile}`, `/1.0/profiles/${encodeURIComponent(profile)}`, profileSchema, { signal }),
    );
    if (found === undefined) {
      problems.push({ what: `there is no profile ${profile}`, remedy: `\`lxc profile create ${profile}\`, or correct \`profiles\`.` });
    }
  }
  if (pool !== undefined && !(await has(`/1.0/storage-pools/${encodeURIComponent(pool)}`))) {
    problems.push({ what: `there is no storage pool ${pool}`, remedy: `\`lxc storage create ${pool} btrfs\`, or correct \`pool\`.` });
  }
  if (problems.length === 0 && pool === undefined && (await findRootDisk(client, config, signal)) === undefined) {
    problems.push({ what: 'the profiles give no root disk', remedy: 'Set `pool`, or add a disk to a profile: `lxd init`.' });
  }
  if (image !== undefined && !image.includes(':') && (await findLocalImage(client, image, signal)) === undefined) {
    problems.push({ what: `there is no image ${image}`, remedy: '`lxc image list` shows those there are; or correct `image`.' });
  }
  return problems;
}
