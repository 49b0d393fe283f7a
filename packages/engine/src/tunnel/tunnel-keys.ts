import { createHmac } from 'node:crypto';
import { keyPairOf, type SshKeyPair } from '../ssh/key-pair.ts';

/**
 * The keys of a machine's tunnel, worked out as its join secret is: the host key by which it is told from others, and the one
 * that the engine logs in with everywhere.
 */
export function tunnelKeys(engineKey: Buffer, machine: { run: string; instance: string; token: string }): TunnelKeys {
  const seed = (text: string): Buffer => createHmac('sha256', engineKey).update(text).digest();
  const { run, instance, token } = machine;
  return { host: keyPairOf(seed(`host key ${run} ${instance} ${token}`)), client: keyPairOf(seed('client key')) };
}

export interface TunnelKeys {
  host: SshKeyPair;
  client: SshKeyPair;
}
