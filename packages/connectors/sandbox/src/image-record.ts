import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import * as z from 'zod';

/** `image.json` of an image that a machine was made into; beside it, `layer` has what the machine had written. */
const recordSchema = z.object({
  name: z.string(),
  owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }),
  createdAt: z.iso.datetime(),
  /** The layers below its own, uppermost first. */
  layers: z.array(z.string()),
  /** Whether below all of them are the files of this host. */
  host: z.boolean(),
});

export type ImageRecord = z.infer<typeof recordSchema>;

/** Reads the record of an image; undefined for a directory that is a root file system itself, or no image at all. */
export async function readImage(path: string): Promise<ImageRecord | undefined> {
  const text = await unlessMissing(readFile(join(path, 'image.json'), 'utf8'));
  return text === undefined ? undefined : recordSchema.parse(JSON.parse(text));
}
