import * as z from 'zod';

const absolutePath = z.string().regex(/^\//, 'must be an absolute path');

/** What a user writes in the configuration of a `local` cloud. */
export const configSchema = z.strictObject({
  root: absolutePath.meta({ description: 'Absolute directory that holds the machines; made when it is missing' }),
  node: absolutePath.optional().meta({ description: 'Path of the Node.js that runs the agents; default: the one that runs the engine' }),
  agentCache: absolutePath.optional().meta({ description: 'Absolute directory of fetched agents; default: <root>/cache' }),
});

export type Config = z.infer<typeof configSchema>;
