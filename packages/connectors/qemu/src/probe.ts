import { access, constants, stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { dirname } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type Account, type ConnectorContext } from '@paceline/engine/connector';
import { chooseAccelerator } from './accelerator.ts';
import { emulator, findProgram } from './command.ts';
import { resolveImage } from './image.ts';
import type { Site } from './site.ts';

/** What is needed, with the packages of Debian. */
const needed: Record<string, string> = {
  [emulator]: 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  timeout: 'coreutils',
  stdbuf: 'coreutils',
};

/** Checks that machines could be made here; the first time after a start of the host, by running a small guest on KVM. */
export async function probeHost(site: Site, context: ConnectorContext): Promise<Account> {
  const { log, signal } = context;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ConnectorError('unsupported', 'Machines of QEMU need Linux on x86-64');
  }
  const found = await Promise.all(Object.keys(needed).map(findProgram));
  const missing = Object.keys(needed).filter((_, at) => found[at] === undefined);
  if (missing.length > 0) {
    throw new ConnectorError('unsupported', `This host has no ${missing.join(', ')}`, {
      hint: `apt-get install --no-install-recommends ${[...new Set(missing.map((name) => needed[name]))].join(' ')}`,
    });
  }
  await access(await nearest(site.root), constants.W_OK | constants.X_OK);
  if (site.config.image !== undefined && !/^https?:/.test(site.config.images[site.config.image]?.disk ?? site.config.image)) {
    await resolveImage(site, '', signal);
  }
  const { accelerator, why } = await chooseAccelerator(site, context);
  log.info(`machines run on ${accelerator === 'kvm' ? 'KVM' : `TCG, which is slow: ${why}`}`);
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
