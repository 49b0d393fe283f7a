import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import * as z from 'zod';

const date = z.iso.datetime().transform((text) => new Date(text));

/**
 * `machine.json`: the intent to have a machine, on disk before anything of it runs, and never changed after. What happens later has
 * its own files (`started`, `address`, `fault`, `exit`, `ended`). The supervisor reads it too.
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
  limits: z.object({ cpus: z.number().optional(), memoryMiB: z.number().optional() }),
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
