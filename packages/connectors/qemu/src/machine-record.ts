import { readRecordAs, recordFields, type RecordReading } from '@paceline/connector-host';
import * as z from 'zod';
import { diskFormats } from './disk-format.ts';

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

/** What happens after it has its own files: `started`, `exit`, `ended`. */
const recordSchema = z.object({
  ...recordFields,
  boot: bootSchema,
  cpus: z.int(),
  memoryMiB: z.int(),
  /** Its address on the network of its run. */
  address: z.string(),
});

export type MachineRecord = z.output<typeof recordSchema>;

/** Reads a machine's record; undefined when there is no such machine. */
export function readRecord(machine: string): Promise<RecordReading<MachineRecord> | undefined> {
  return readRecordAs(recordSchema, machine);
}
