import * as z from 'zod';

const absolutePath = z.string().regex(/^\/[^\n]*$/, 'must be an absolute path');
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');
const input = z.string().regex(/^[A-Za-z_][\w-]*$/, 'must be the name of a variable of the module');

/** What a user writes in the configuration of a `terraform` cloud. */
export const configSchema = z.strictObject({
  module: absolutePath.meta({ description: 'Folder of the module that makes one machine' }),
  root: absolutePath.meta({
    description: 'Directory for the states of the machines; made when it is missing. Whoever loses it has lost them',
  }),
  binary: z.string().min(1).optional().meta({ description: 'Default: tofu, else terraform, of the PATH' }),
  variables: z
    .record(input, z.unknown())
    .default({})
    .meta({ description: 'Values for variables of the module, the same for all machines' }),
  secrets: z
    .record(input, variable)
    .default({})
    .meta({ description: 'Values that are in no file: variables of the module, and the environment variable that holds each' }),
  environment: z
    .array(variable)
    .default([])
    .meta({ description: 'Environment variables that the providers get, such as AWS_PROFILE or HCLOUD_TOKEN' }),
  image: z.string().min(1).optional().meta({ description: 'For modules of Paceline that name none' }),
  login: z.string().min(1).optional().meta({ description: 'The account to log in with, where neither module says one' }),
  region: z.string().min(1).default('the region of the module').meta({ description: 'What `paceline clouds` shows' }),
  userDataBytes: z.int().min(4096).max(65_536).default(16_384).meta({ description: 'The longest user data that the cloud takes' }),
  reach: z.enum(['direct', 'host', 'tunnel']).default('direct'),
  patienceSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(1800)
    .meta({ description: 'How long the tool may take to make or to end a machine before it is stopped' }),
  graceSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .meta({ description: 'How long the tool may go on making a machine that is to go, before it is stopped' }),
  mercySeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(900)
    .meta({ description: 'How long the tool may take to stop before it is killed: what it is making then may be lost' }),
  atOnce: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .meta({ description: 'Machines that are made or ended at a time; each takes some 150 MB for it' }),
});

export type Config = z.infer<typeof configSchema>;

const alwaysGiven = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'TF_CLI_CONFIG_FILE',
];

/** What the tool and its providers see of the engine's environment. @throws RangeError with the variable that is not set */
export function environmentOf({ environment, secrets }: Config, env: NodeJS.ProcessEnv): Record<string, string> {
  const given = [...alwaysGiven, ...environment].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const secret = Object.entries(secrets).map(([name, from]) => {
    const value = env[from];
    if (value === undefined) throw new RangeError(`The environment variable ${from}, which holds ${name}, is not set`);
    return [`TF_VAR_${name}`, value] as const;
  });
  return { ...Object.fromEntries([...given, ...secret]), TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1' };
}

/** A variable of the environment that is as long as this may be a credential, in characters. */
const longAsSecret = 12;

/** What no message may say. */
export function secretsOf({ environment, secrets }: Config, env: NodeJS.ProcessEnv = process.env): string[] {
  const given = environment.flatMap((name) => env[name] ?? []).filter((value) => value.length >= longAsSecret);
  return [...given, ...Object.values(secrets).flatMap((name) => env[name] ?? [])];
}
