import { createHash, timingSafeEqual } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';

/** The signatures that a server with a key of this type may use. SHA-1 is not among them. */
const algorithms: Record<string, ServerHostKeyAlgorithm[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** All that a server may show. */
export const allAlgorithms = Object.values(algorithms).flat();

/** The server showed another key than it should: it is another machine, was made anew, or somebody is in between. */
export class HostKeyMismatch extends Error {
  override readonly name = 'HostKeyMismatch';

  constructor(where: string, shown: Buffer) {
    super(
      `The SSH server at ${where} is not the one it should be: it shows a ${typeOf(shown)} key with the fingerprint ${fingerprint(shown)}`,
    );
  }
}

/** What to ask a server for, so that it shows the key that we know and not another of its own. */
export function algorithmsFor(hostKeys: readonly string[]): ServerHostKeyAlgorithm[] {
  return [...new Set(hostKeys.flatMap((key) => algorithms[key.split(' ', 1)[0] ?? ''] ?? []))];
}

export function isHostKey(text: string): boolean {
  const [type = '', blob = '', ...rest] = text.split(' ');
  return type in algorithms && rest.length <= 1 && typeOf(Buffer.from(blob, 'base64')) === type;
}

export function isKnown(shown: Buffer, hostKeys: readonly string[]): boolean {
  return hostKeys.some((key) => {
    const known = Buffer.from(key.split(' ')[1] ?? '', 'base64');
    return known.length === shown.length && timingSafeEqual(known, shown);
  });
}

/** As a line of a known_hosts file has it. */
export function hostKeyText(key: Buffer): string {
  return `${typeOf(key)} ${key.toString('base64')}`;
}

function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The first field of a key: what kind it is. */
function typeOf(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE();
  return length > 0 && length <= 64 && length + 4 <= key.length ? key.toString('latin1', 4, 4 + length) : '';
}
