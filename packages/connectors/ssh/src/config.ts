import { Buffer } from 'node:buffer';
import { isHostKey } from '@paceline/engine/ssh';
import * as z from 'zod';

const absolutePath = z.string().regex(/^\/[^'\\\s,:]*$/, 'must be an absolute path without spaces, quotes, commas and colons');
/** What the path of a Unix socket may have (107), but for `/leases/0123456789abcdef/tunnel/engine`. */
const longestDirectory = 69;
const label = z.string().regex(/^[\w./=-]{1,100}$/, 'must be letters, digits and any of _ . / = -');
const hostKey = z.string().refine(isHostKey, 'must be a public key as in /etc/ssh/ssh_host_ed25519_key.pub: `ssh-ed25519 AAAA…`');
const account = z.string().regex(/^[a-z_][a-z0-9_.-]*$/i, 'must be the name of an account');

const hostSchema = z.strictObject({
  host: z.string().min(1).max(253).meta({ description: 'Name or address at which the engine reaches it' }),
  address: z.string().min(1).max(253).optional().meta({ description: 'Where other machines reach it; default: `host`' }),
  port: z.int().min(1).max(65_535).default(22),
  user: account.optional().meta({ description: 'Account to log in to; default: that of the cloud' }),
  hostKey: z.union([hostKey, z.array(hostKey).min(1)]).meta({ description: 'The public keys of its SSH server; any other is refused' }),
  labels: z.array(label).default([]).meta({ description: 'What recipes choose it by' }),
  cpus: z.int().positive().optional(),
  memoryMiB: z.int().positive().optional(),
  diskGiB: z.int().positive().optional(),
  slots: z.int().min(1).max(64).default(1).meta({ description: 'Machines that it takes at once' }),
  offline: z.boolean().default(false).meta({ description: 'It is not asked for anything' }),
});

/** What a user writes in the configuration of an `ssh` cloud. There is no room for a password. */
export const configSchema = z.strictObject({
  hosts: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/i, 'must be letters, digits, dots and dashes'), hostSchema)
    .refine((hosts) => Object.keys(hosts).length > 0, 'must name a host')
    .meta({ description: 'The hosts, by a name for people' }),
  user: account.default('root'),
  identity: absolutePath.optional().meta({ description: 'Private key without passphrase; default: the keys of the running SSH agent' }),
  directory: absolutePath
    .refine(
      (path) => Buffer.byteLength(path) <= longestDirectory,
      `must have at most ${longestDirectory} bytes: the paths of sockets in it would be too long`,
    )
    .optional()
    .meta({
      description: 'Where machines lie on the hosts; default: /var/lib/paceline-hosts for root, /var/tmp/paceline-USER for others',
    }),
  isolation: z.enum(['layer', 'directory']).optional().meta({
    description: 'Whether a machine has a layer of its own over the files of its host, or only a directory; default: `layer` for root',
  }),
  node: absolutePath.optional().meta({ description: 'Node.js on the hosts; default: what is in the PATH' }),
});

export type Config = z.infer<typeof configSchema>;
