import { createPrivateKey, createPublicKey } from 'node:crypto';

/** An ed25519 key as OpenSSH keeps it. */
export interface SshKeyPair {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  publicKey: string;
  /** The text of a private key file without a passphrase. */
  privateKey: string;
}

const type = 'ssh-ed25519';
/** What precedes the seed in the PKCS #8 form of an ed25519 key (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiPrefixBytes = 12;
const lineLength = 70;
const cipherBlock = 8;

/** The key that a seed of 32 bytes stands for: always the same one. */
export function keyPairOf(seed: Buffer): SshKeyPair {
  const secret = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  const point = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(spkiPrefixBytes);
  const publicBlob = Buffer.concat([field(type), field(point)]);
  // Two equal numbers tell a right passphrase from a wrong one. There is none, so they may be anything.
  const body = Buffer.concat([Buffer.alloc(8), publicBlob, field(Buffer.concat([seed, point])), field('')]);
  const padding = Buffer.from(Array.from({ length: -body.length & (cipherBlock - 1) }, (_, at) => at + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    Buffer.from([0, 0, 0, 1]),
    field(publicBlob),
    field(Buffer.concat([body, padding])),
  ]);
  const lines = file.toString('base64').match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return {
    publicKey: `${type} ${publicBlob.toString('base64')}`,
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
  };
}

/** A string as SSH writes it: its length, then its bytes. */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
