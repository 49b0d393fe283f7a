import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import { machineDirectory, runKey, type Site } from './site.ts';

/** Where the host answers in the user network of QEMU. */
const hostAddress = '10.0.2.2';
/** Machines of one run are alone on their network, so all runs have the same addresses. */
const network = { prefix: '10.92.0.', bits: 24, first: 2, last: 254 };

/** A URL of this host's loopback as machines have to write it. */
export function hostUrl(url: string): string {
  return url.replace(/^(https?:\/\/)(127\.\d+\.\d+\.\d+|localhost|\[::1\])(?=[:/]|$)/, `$1${hostAddress}`);
}

/**
 * Takes an address for a machine on the network of its run: a file named by it, which can be made only once, says whose it is. A
 * machine that was to be made before finds the one that it has, and one whose machine has never come to be is taken over.
 */
export async function claimAddress(site: Site, owner: { engine: string; run: string }, id: string): Promise<string> {
  const folder = join(site.addresses, runKey(owner));
  for (let number = network.first; number <= network.last; number += 1) {
    const address = `${network.prefix}${number}`;
    const path = join(folder, address);
    await mkdir(folder, { recursive: true });
    try {
      await writeFile(path, id, { flag: 'wx' });
      return address;
    } catch (error) {
      // The last machine of the run may just have left.
      if (hasCode(error, 'ENOENT')) {
        number -= 1;
      } else if (!hasCode(error, 'EEXIST')) {
        throw error;
      } else if ((await unlessMissing(readFile(path, 'utf8'))) === id) {
        return address;
      }
    }
  }
  throw new ConnectorError('capacity', `The network of a run has ${network.last - network.first + 1} addresses, and all are taken`);
}

/** Gives the addresses of machines back that are not there any more. */
export async function releaseAddresses(site: Site, key: string): Promise<void> {
  const folder = join(site.addresses, key);
  for (const name of (await unlessMissing(readdir(folder))) ?? []) {
    const id = await unlessMissing(readFile(join(folder, name), 'utf8'));
    if (id !== undefined && (await unlessMissing(readdir(machineDirectory(site, id)))) === undefined) {
      await unlessMissing(unlink(join(folder, name)));
    }
  }
  await unlessMissing(rmdir(folder)).catch((error: unknown) => {
    if (!hasCode(error, 'ENOTEMPTY')) {
      throw error;
    }
  });
}

/** The multicast group of this host's loopback that is the network of a run, as `address:port`. */
export function groupOf(owner: { engine: string; run: string }): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = hash(runKey(owner));
  return `239.${a}.${b}.${1 + (c % 254)}:${20_000 + ((d * 256 + e) % 30_000)}`;
}

/** A locally administered address of the machine's interface: 0 to the world, 1 to its run. */
export function hardwareAddress(id: string, interfaceNumber: 0 | 1): string {
  const [a = 0, b = 0, c = 0, d = 0] = hash(id);
  return [0x52, 0x54 + interfaceNumber, a, b, c, d].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Network configuration of cloud-init: the world by DHCP, the run with the address that was taken. */
export function networkConfig(id: string, address: string): string {
  const interfaceOf = (number: 0 | 1, settings: Record<string, unknown>) => ({
    match: { macaddress: hardwareAddress(id, number) },
    ...settings,
  });
  return JSON.stringify({
    version: 2,
    ethernets: {
      world: interfaceOf(0, { dhcp4: true }),
      run: interfaceOf(1, { addresses: [`${address}/${network.bits}`], optional: true }),
    },
  });
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
