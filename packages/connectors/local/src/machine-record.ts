import { readRecordAs, recordFields, type RecordReading } from '@paceline/connector-host';
import * as z from 'zod';

/** What happens after it has its own files: `process`, `exit`, `ended`, which the machine's shells write, as they outlive the engine. */
const recordSchema = z.object({ ...recordFields, address: z.string() });

export type MachineRecord = z.output<typeof recordSchema>;

/** Reads a machine's record; undefined when there is no such machine. */
export function readRecord(machine: string): Promise<RecordReading<MachineRecord> | undefined> {
  return readRecordAs(recordSchema, machine);
}
