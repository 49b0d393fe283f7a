import * as z from 'zod';

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

/** What a user writes in the configuration of an `exec` cloud. */
export const configSchema = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .meta({ description: 'The program and its arguments, as a list; no shell reads it. Never a secret: every user of the host sees it' }),
  directory: z.string().startsWith('/', 'must be an absolute path').optional().meta({
    description: "Where the program is started; a relative path of the program begins here. Default: the engine's own directory",
  }),
  config: z.record(z.string(), z.unknown()).default({}).meta({ description: 'Handed to the program as it is' }),
  secrets: z
    .record(z.string(), variable)
    .default({})
    .meta({ description: 'Handed to the program over its standard input: names, and the environment variable that holds each' }),
  environment: z
    .array(variable)
    .default([])
    .meta({ description: 'Environment variables that the program gets besides PATH, HOME, USER, LANG, TZ and TMPDIR' }),
  graceSeconds: z
    .number()
    .min(1)
    .max(600)
    .default(10)
    .meta({ description: 'How long the program may take to greet, to give up a call, and to end' }),
});

export type Config = z.infer<typeof configSchema>;

const alwaysGiven = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR'];

/** The little that the program sees of the engine's environment: none of its secrets, none of its settings. */
export function environmentOf({ environment }: Config, env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries([...alwaysGiven, ...environment].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
