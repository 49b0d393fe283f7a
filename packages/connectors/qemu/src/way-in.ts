import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type SshAddress } from '@paceline/engine/connector';
import { keyPairOf } from '@paceline/engine/ssh';
import * as z from 'zod';
import { Monitor } from './monitor.ts';

/** Of QEMU's user network: a free port of this host's loopback leads to the SSH server. The kernel chooses it, so that nobody else has it. */
export const sshForward = 'hostfwd=tcp:127.0.0.1:0-:22';

/** A port says nothing of who listens behind it: a machine gets the key of its SSH server from here, which only root can read there. */
export async function giveHostKey(directory: string, vendorData: string): Promise<void> {
  const { privateKey, publicKey } = keyPairOf(randomBytes(32));
  const settings = { ssh_keys: { ed25519_private: privateKey, ed25519_public: publicKey } };
  await writeFile(vendorData, `#cloud-config\n${JSON.stringify(settings)}\n`, { mode: 0o600 });
  await writeFile(join(directory, 'host-key.pub'), publicKey);
}

/**
 * Where the SSH server of a machine that runs is reached from this host. Its emulator is asked, which has the port for as long as it lives.
 * @throws notFound, unavailable
 */
export async function sshAddressOf(machine: string, id: string, signal: AbortSignal): Promise<SshAddress> {
  const said = await Monitor.talk(machine, 'say which port leads to a machine', signal, async (monitor) =>
    z.string().parse(await monitor.ask('human-monitor-command', { 'command-line': 'info usernet' })),
  );
  if (said === undefined) throw new ConnectorError('notFound', `${id} does not run`);
  const port = Number(/TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\s/.exec(said)?.[1]);
  if (Number.isNaN(port)) throw new ConnectorError('unsupported', `No port of this host leads to the SSH server of ${id}: ${said.trim()}`);
  const hostKey = await unlessMissing(readFile(join(machine, 'host-key.pub'), 'utf8'));
  return { host: '127.0.0.1', port, hostKeys: hostKey === undefined ? [] : [hostKey] };
}
