import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { unlessMissing } from './failure.ts';

const date = z.iso.datetime().transform((text) => new Date(text));

/**
 * What `machine.json` says of every machine: the intent to have it, on disk before anything of it runs, and never changed after. What
 * happens later has its own files: one that is never rewritten cannot be caught half-way.
 */
export const recordFields = {
  id: z.string(),
  index: z.int(),
  name: z.string(),
  owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }),
  token: z.string(),
  login: z.string().optional(),
  createdAt: date,
  expiresAt: date,
};

/** `damaged` says why a record that is there cannot be used. */
export type RecordReading<R> = { record: R } | { damaged: string };

/** Reads the record in a machine's directory; undefined when there is no such machine. */
export async function readRecordAs<R>(schema: z.ZodType<R>, machine: string): Promise<RecordReading<R> | undefined> {
  const text = await unlessMissing(readFile(join(machine, 'machine.json'), 'utf8'));
  if (text === undefined) return undefined;
  try {
    return { record: schema.parse(JSON.parse(text)) };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : String(error);
    return { damaged: `machine.json cannot be read: ${reason}` };
  }
}

export function printRecord(record: object): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}
