import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { dirname, join } from 'node:path';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import type { Site } from './site.ts';

const claimSchema = z.object({
  machine: z.string(),
  owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }),
  token: z.string(),
});

/** Who has an address: the content of the file that is named by it. */
export type AddressClaim = z.infer<typeof claimSchema>;

/** A claim precedes its machine's directory by some milliseconds; one that is older than this and has none is a leftover. */
const graceMs = 60_000;

/** Makes the directories that all engines of this user share, and checks that nobody else made them first. */
export async function openShared(site: Site): Promise<void> {
  const shared = dirname(site.addresses);
  await mkdir(shared, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) {
      throw error;
    }
  });
  const found = await lstat(shared);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new ConnectorError('forbidden', `${shared} is not a directory that only you can write to`, {
      hint: 'Another user made it, or it was opened to others: remove it.',
    });
  }
  await Promise.all([mkdir(site.addresses, { recursive: true }), mkdir(site.sockets, { recursive: true })]);
}

/**
 * Takes a loopback address that no other machine of this user has, so that two machines can listen on the same port. Where only
 * 127.0.0.1 answers (not Linux), all share that.
 */
export async function claimAddress(site: Site, claim: AddressClaim, platform = process.platform, pick = randomAddress): Promise<string> {
  if (platform !== 'linux') {
    return '127.0.0.1';
  }
  for (;;) {
    const address = pick();
    try {
      await writeFile(join(site.addresses, address), JSON.stringify(claim), { flag: 'wx' });
      return address;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) {
        throw error;
      }
    }
  }
}

/** Gives an address back, if it is this machine's. */
export async function releaseAddress(site: Site, address: string, machine: string): Promise<void> {
  if ((await readClaim(site, address))?.machine === machine) {
    await unlessMissing(unlink(join(site.addresses, address)));
  }
}

/** Claims whose machine is not there. Anybody may have made them: also a root that was deleted as a whole. */
export async function orphanedClaims(site: Site, now: number): Promise<{ address: string; claim?: AddressClaim }[]> {
  const addresses = ((await unlessMissing(readdir(site.addresses))) ?? []).filter((name) => isIPv4(name));
  const found = await Promise.all(addresses.map((address) => readOrphan(site, address, now)));
  return found.filter((orphan) => orphan !== undefined);
}

async function readOrphan(site: Site, address: string, now: number): Promise<{ address: string; claim?: AddressClaim } | undefined> {
  const made = await unlessMissing(stat(join(site.addresses, address)));
  if (made === undefined || now - made.mtimeMs < graceMs) {
    return undefined;
  }
  const claim = await readClaim(site, address);
  if (claim === undefined) {
    return { address };
  }
  return (await unlessMissing(stat(claim.machine))) === undefined ? { address, claim } : undefined;
}

async function readClaim(site: Site, address: string): Promise<AddressClaim | undefined> {
  const text = await unlessMissing(readFile(join(site.addresses, address), 'utf8'));
  try {
    return text === undefined ? undefined : claimSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** One of some 15 million, away from 127.0.x.y, where systems put their own resolvers and names. */
export function randomAddress(): string {
  const [a = 0, b = 0, c = 0] = randomBytes(3);
  return `127.${16 + (a % 239)}.${b}.${1 + (c % 254)}`;
}
