import { isHostKey } from '@paceline/engine/ssh';
import * as z from 'zod';

const absolutePath = z.string().regex(/^\/[^\n]*$/, 'must be an absolute path');
const argument = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an argument, as Libcloud has it');
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');
const hostKey = z.string().refine(isHostKey, 'must be a public key as in /etc/ssh/ssh_host_ed25519_key.pub: `ssh-ed25519 AAAA…`');

const secret = z.union([
  z.strictObject({ env: variable.meta({ description: 'Environment variable of the engine that holds it' }) }),
  z.strictObject({ file: absolutePath.meta({ description: 'File that holds it, and nothing else' }) }),
]);

const sshSettings = z.strictObject({
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_.-]*$/i, 'must be the name of an account')
    .default('root')
    .meta({ description: 'Account to log in with, where a module names none: root, or one that `sudo -n` makes root' }),
  port: z.int().min(1).max(65_535).default(22),
  identity: absolutePath.meta({ description: 'Private key without passphrase; the public one is beside it, as FILE.pub' }),
  hostKeys: z.union([z.array(hostKey).min(1), z.literal('any')]).meta({
    description: 'The public keys that SSH servers of the image may have; `any` trusts what answers at the address that the cloud tells',
  }),
});

/** What a user writes in the configuration of a `libcloud` cloud. */
export const configSchema = z.strictObject({
  driver: z
    .string()
    .regex(/^[A-Za-z_][\w.-]*$/, 'must be a driver of Libcloud, such as openstack, or package.module.Class')
    .meta({ description: 'As Libcloud names it, such as brightbox; or a class of your own' }),
  root: absolutePath.meta({ description: 'Directory for what this cloud cannot keep; made when it is missing' }),
  python: z.string().min(1).default('python3').meta({ description: 'Python 3.10 or newer that has apache-libcloud' }),
  modules: absolutePath.optional().meta({ description: 'Where the module of a driver of your own lies' }),
  credentials: z.record(argument, secret).default({}).meta({ description: "Secret arguments of the driver's constructor" }),
  arguments: z.record(argument, z.unknown()).default({}).meta({ description: 'The other ones' }),
  options: z
    .record(argument, z.unknown())
    .default({})
    .meta({ description: 'Further arguments of create_node; where it asks for objects, write their fields: networks: [{ id: … }]' }),
  image: z.string().min(1).optional().meta({ description: 'For modules that name none: an id, or a name' }),
  login: z.string().min(1).optional().meta({ description: 'The account to log in with, where a module names none' }),
  location: z.string().min(1).optional().meta({ description: 'Id or name, where the driver has locations' }),
  sizes: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ description: 'Ids or names; the first that is large enough is taken. Default: the smallest of all' }),
  ssh: sshSettings.optional().meta({ description: 'Machines are begun by SSH instead of user data' }),
  atOnce: z.int().min(1).max(32).default(8).meta({ description: 'Calls to the cloud at a time' }),
  listConsistencySeconds: z.number().min(0).max(600).default(15).meta({
    description: 'A machine may be missing from lists for so long after its launch',
  }),
});

export type Config = z.infer<typeof configSchema>;
export type SshSettings = z.infer<typeof sshSettings>;
