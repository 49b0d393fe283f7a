import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import * as z from 'zod';
import { diskFormats } from './disk-format.ts';

const date = z.iso.datetime().transform((text) => new Date(text));

/** What a machine boots from: absolute paths. */
export const bootSchema = z.object({
  disk: z.string(),
  format: z.enum(diskFormats),
  kernel: z.string().optional(),
  initrd: z.string().optional(),
  append: z.string().optional(),
  login: z.string().optional(),
});

export type Boot = z.output<typeof bootSchema>;

/**
 * `machine.json`: the intent to have a machine, on disk before anything of it runs, and never changed after. What happens later has
 * its own files (`started`, `exit`, `ended`).
 */
const recordSchema = z.object({
  id: z.string(),
  index: z.int(),
  name: z.string(),
  owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }),
  token: z.string(),
  login: z.string().optional(),
  createdAt: date,
  expiresAt: date,
  boot: bootSchema,
  cpus: z.int(),
  memoryMiB: z.int(),
  /** Its address on the network of its run. */
  address: z.string(),
});

export type MachineRecord = z.output<typeof recordSchema>;

/** `damaged` says why a record that is there cannot be used. */
export type RecordReading = { record: MachineRecord } | { damaged: string };

/** Reads a machine's record; undefined when there is no such machine. */
export async function readRecord(machine: string): Promise<RecordReading | undefined> {
  const text = await unlessMissing(readFile(join(machine, 'machine.json'), 'utf8'));
  if (text === undefined) {
    return undefined;
  }
  try {
    return { record: recordSchema.parse(JSON.parse(text)) };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : String(error);
    return { damaged: `machine.json cannot be read: ${reason}` };
  }
}

export function printRecord(record: MachineRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}
