import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import * as z from 'zod';

/**
 * `machine.json`: the intent to have a machine, on disk before anything of it runs, and never changed after. What happens later has
 * its own files (`process`, `exit`, `ended`), which the machine's shells write: they outlive the engine, and a file that is
 * never rewritten cannot be caught half-way.
 */
const recordSchema = z.object({
  id: z.string(),
  index: z.int(),
  name: z.string(),
  owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }),
  token: z.string(),
  address: z.string(),
  createdAt: z.iso.datetime().transform((text) => new Date(text)),
  expiresAt: z.iso.datetime().transform((text) => new Date(text)),
});

export type MachineRecord = z.infer<typeof recordSchema>;

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
