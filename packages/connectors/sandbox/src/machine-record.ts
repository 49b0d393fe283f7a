import { readRecordAs, recordFields, type RecordReading } from '@paceline/connector-host';
import * as z from 'zod';

/** What happens after it has its own files: `started`, `address`, `fault`, `exit`, `ended`. The supervisor reads it too. */
const recordSchema = z.object({
  ...recordFields,
  /** The end of life in seconds since the epoch. */
  expires: z.number(),
  /** The layers of its root file system that it shares with others, uppermost first. */
  layers: z.array(z.string()),
  /** Whether below all of them are the files of this host, */
  host: z.boolean(),
  /** without these. */
  hide: z.array(z.string()),
  /** Addresses of its own loopback interface that lead to the same ones of the host. */
  relays: z.array(z.object({ address: z.string(), port: z.int() })),
  /** Ports that it may call at addresses of this host: an engine that it was told of may be there. */
  calls: z.array(z.int()).default([]),
  limits: z.object({ cpus: z.number().optional(), memoryMiB: z.number().optional() }),
});

export type MachineRecord = z.output<typeof recordSchema>;

/** Reads a machine's record; undefined when there is no such machine. */
export function readRecord(machine: string): Promise<RecordReading<MachineRecord> | undefined> {
  return readRecordAs(recordSchema, machine);
}
