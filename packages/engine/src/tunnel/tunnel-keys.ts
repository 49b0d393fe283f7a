import { createHmac } from 'node:crypto';
import type { Instance } from '../run/instance.ts';
import { keyPairOf, type SshKeyPair } from '../ssh/key-pair.ts';

/**
 * The keys of a machine's tunnel, worked out as its join secret is: the host key by which it is told from others, and the one
 * that the engine logs in with everywhere.
 */
export function tunnelKeys(engineKey: Buffer, machine: { run: string; instance: string; token: string }): TunnelKeys {
  const seed = (text: string): Buffer => createHmac('sha256', engineKey).update(text).digest();
  const { run, instance, token } = machine;
  return {
    host: keyPairOf(seed(`host key ${run} ${instance} ${token}`)),
    lastingHost: keyPairOf(seed(`lasting host key ${run} ${instance} ${token}`)),
    client: keyPairOf(seed('client key')),
  };
}

/**
 * The public keys that the SSH server of a machine may have now. The one of the user data is good until the agent has said that it has put
 * the other in its place: what cannot do that, or was made by an engine that had no other, stays in reach.
 */
export function hostKeysOf(engineKey: Buffer, run: string, { name, machine, tookHostKey }: Instance): string[] {
  const { host, lastingHost } = tunnelKeys(engineKey, { run, instance: name, token: machine.token });
  return [lastingHost, ...(tookHostKey ? [] : [host])].map(({ publicKey }) => publicKey);
}

export interface TunnelKeys {
  /** Is in the user data, which any process of the machine can read. */
  host: SshKeyPair;
  /** Takes its place once the machine has joined. */
  lastingHost: SshKeyPair;
  client: SshKeyPair;
}
