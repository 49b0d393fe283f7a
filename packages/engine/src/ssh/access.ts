/** Where a machine's SSH server is, how it is told from others, and who logs in there. */
export interface SshAccess {
  host: string;
  port: number;
  user: string;
  /** The public keys that the server may have, as in a known_hosts file: `ssh-ed25519 AAAA…`. Any other one is refused. */
  hostKeys: readonly string[];
  credential: SshCredential;
}

/** What proves who logs in: a private key in OpenSSH's or PEM format, or the socket of an agent. Never a password. */
export type SshCredential = { privateKey: string } | { agent: string };
