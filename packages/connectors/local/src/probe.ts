import { access, constants, stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { dirname } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type Account } from '@paceline/engine/connector';
import type { Site } from './site.ts';

/** Checks that machines could be made here, without making anything. */
export async function probeSite(site: Site, platform = process.platform): Promise<Account> {
  await access(await nearest(site.root), constants.W_OK | constants.X_OK);
  await access('/bin/sh', constants.X_OK);
  await access(site.node, constants.X_OK).catch((error: unknown) => {
    throw new ConnectorError('invalid', `${site.node} is not a program that can be run`, {
      cause: error,
      hint: 'Set `node` to a Node.js binary.',
    });
  });
  if (platform === 'linux' && (await unlessMissing(stat('/proc/self/environ'))) === undefined) {
    throw new ConnectorError('unsupported', '/proc is not mounted, so the processes of a machine could not be found again');
  }
  return { account: `${userName()}@${hostname()}`, regions: ['local'] };
}

/** The root, or the directory in which it would be made. */
async function nearest(path: string): Promise<string> {
  const found = await unlessMissing(stat(path));
  return found !== undefined || path === '/' ? path : nearest(dirname(path));
}

/** In a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 0}`;
  }
}
