import { readRecordAs, recordFields, type RecordReading } from '@paceline/connector-host';
import * as z from 'zod';

/** What happens after it has its own files: `outputs.json`, `failed`, `making`, `killed`, `ended`, `stuck`. */
const recordSchema = z.object({
  ...recordFields,
  /** The copy of the module that has made it, and ends it. */
  module: z.string(),
});

export type MachineRecord = z.output<typeof recordSchema>;

export function readRecording(folder: string): Promise<RecordReading<MachineRecord> | undefined> {
  return readRecordAs(recordSchema, folder);
}

/** Undefined when there is no such machine. @throws Error when its record cannot be read */
export async function readRecord(folder: string): Promise<MachineRecord | undefined> {
  const reading = await readRecording(folder);
  if (reading === undefined || 'record' in reading) return reading?.record;
  throw new Error(`${folder}: ${reading.damaged}`);
}
