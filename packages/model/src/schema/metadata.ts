import * as z from 'zod';
import { labelPattern } from './names.ts';

export const apiVersion = 'paceline.dev/v1';

export const metadata = z
  .strictObject({
    name: z
      .string()
      .regex(labelPattern, 'a module name')
      .meta({ description: 'Short name: letters, digits, `_`, `.` and `-`.', examples: ['apache'] }),
    title: z.string().optional().describe('What people read in lists.'),
    description: z.string().optional().describe('What this is for, as Markdown.'),
    tags: z.array(z.string()).optional().describe('Words to find this module by.'),
    logo: z.string().optional().describe('Picture for the app store: a URL or a relative path.'),
  })
  .describe('How people find and recognise the module.');

/** The parts that every module file has in common. */
export function envelope<K extends string, S extends z.ZodType>(kind: K, spec: S) {
  return z.strictObject({
    apiVersion: z.literal(apiVersion).describe('The version of the format of this file.'),
    kind: z.literal(kind).describe('What the file describes.'),
    metadata,
    spec,
  });
}
