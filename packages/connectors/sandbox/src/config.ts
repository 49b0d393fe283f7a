import * as z from 'zod';

/** It becomes part of the options of a mount, where these characters separate. */
const absolutePath = z.string().regex(/^\/[^,:\\"\n]*$/, 'must be an absolute path without commas, colons, quotes and backslashes');

const privateRange = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, 'must be a range of addresses such as 10.87.0.0/16')
  .refine((range) => Number(range.split('/')[1]) <= 22, 'must have room for a network of 1,022 addresses: at most /22');

/** What a user writes in the configuration of a `sandbox` cloud. */
export const configSchema = z.strictObject({
  root: absolutePath.meta({ description: 'Absolute directory that holds the machines; made when it is missing' }),
  images: absolutePath.optional().meta({ description: 'Absolute directory of the images; default: <root>/images' }),
  image: absolutePath
    .optional()
    .meta({ description: 'Absolute path of the image of machines whose module names none; default: the files of this host' }),
  node: absolutePath.optional().meta({
    description: 'Node.js for machines that have none, as an absolute path; default: the one that runs the engine',
  }),
  network: privateRange.default('10.87.0.0/16').meta({ description: 'Private addresses; every run takes a /22 of them' }),
  internet: z.boolean().default(true).meta({ description: 'Whether machines reach the internet, if slirp4netns is installed' }),
  hide: z
    .array(absolutePath)
    .default([])
    .meta({ description: "Paths of this host that its machines must not see, besides the usual ones; for machines of the host's files" }),
});

export type Config = z.infer<typeof configSchema>;
