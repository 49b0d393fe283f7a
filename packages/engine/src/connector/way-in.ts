/** Where the SSH server of a machine is. */
export interface SshAddress {
  host: string;
  port: number;
  /** The public keys that it has, if the engine has given it no other; empty when they are not known. */
  hostKeys: string[];
}

/** How a person gets a shell on a machine. */
export type WayIn =
  | {
      kind: 'ssh';
      host: string;
      port: number;
      user: string;
      /** The public keys that its server may have; empty when they are not known. */
      hostKeys: string[];
      /** Private key of the inventory, a file on the engine's host. */
      identity?: string;
      /** The command there that runs another one, or a shell, inside the machine. */
      enter?: string[];
    }
  /** A directory and an environment on the engine's host. */
  | { kind: 'directory'; directory: string; env: Record<string, string> }
  /** The namespaces of a process of the engine's host. */
  | { kind: 'namespaces'; pid: number };
