import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import * as z from 'zod';

const date = z.iso.datetime().transform((text) => new Date(text));

const recordSchema = z.object({
  id: z.string(),
  index: z.int(),
  name: z.string(),
  owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }),
  token: z.string(),
  login: z.string().optional(),
  createdAt: date,
  expiresAt: date,
  /** The copy of the module that has made it, and ends it. */
  module: z.string(),
});

/**
 * `machine.json`: the intent to have a machine, on disk before anything of it is made, and never changed after. What happens later has its
 * own files: `outputs.json`, `failed`, `ended`, `stuck`.
 */
export type MachineRecord = z.output<typeof recordSchema>;

/** Undefined when there is no such machine. @throws Error when its record cannot be read */
export async function readRecord(folder: string): Promise<MachineRecord | undefined> {
  const text = await unlessMissing(readFile(join(folder, 'machine.json'), 'utf8'));
  if (text === undefined) return undefined;
  const parsed = recordSchema.safeParse(parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(`${folder}/machine.json cannot be read: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
}

export function printRecord(record: MachineRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
