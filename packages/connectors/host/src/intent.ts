import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConnectorError, type LaunchRequest, type MachineRequest, type Owner } from '@paceline/engine/connector';
import { flushDirectory, writeDurably } from './durable-file.ts';
import { hasCode, unlessMissing } from './failure.ts';
import { printRecord, type RecordReading } from './machine-record.ts';

export interface Intent<R extends { owner: Owner }> {
  /** The directory of the machine. It says of which launch, and which machine of it, so that every attempt names the same one. */
  readonly machine: string;
  /** The directory for what is on its way, on the same file system. */
  readonly staging: string;
  readonly request: Pick<LaunchRequest, 'owner'>;
  /** Reads the record of a machine; undefined when there is none. */
  readonly read: (machine: string) => Promise<RecordReading<R> | undefined>;
  /** What shall be written down of it, asked for only when nothing is yet. */
  readonly plan: () => Promise<R>;
  /** Puts whatever else the machine needs into a directory that only this user can read. */
  readonly fill: (directory: string, record: R) => Promise<void>;
}

/**
 * Writes down that there shall be a machine, before anything of it runs. Its directory is filled elsewhere and then moved into place,
 * which only succeeds once: whoever comes second, from whatever process, gets the first one's record.
 * @throws conflict when the directory holds the machine of another launch, or one that cannot be read
 */
export async function recordIntent<R extends { owner: Owner }>(intent: Intent<R>): Promise<R> {
  const earlier = await findEarlier(intent);
  if (earlier !== undefined) return earlier;
  const record = await intent.plan();
  const staged = join(intent.staging, `machine-${randomUUID()}`);
  try {
    // Only for this user: the user data holds the secret with which the agent joins.
    await mkdir(staged, { mode: 0o700 });
    await intent.fill(staged, record);
    await writeDurably(join(staged, 'machine.json'), printRecord(record));
    await flushDirectory(staged);
    await rename(staged, intent.machine);
    await flushDirectory(dirname(intent.machine));
    return record;
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    const first = hasCode(error, 'ENOTEMPTY', 'EEXIST') ? await findEarlier(intent) : undefined;
    if (first === undefined) throw error;
    return first;
  }
}

async function findEarlier<R extends { owner: Owner }>({ machine, request, read }: Intent<R>): Promise<R | undefined> {
  const reading = await read(machine);
  if (reading === undefined) return undefined;
  if ('damaged' in reading) {
    throw new ConnectorError('conflict', `${machine} holds a machine of this launch, but ${reading.damaged}`, {
      hint: 'Terminate that machine, then launch again with another token.',
    });
  }
  const { engine, run, node } = reading.record.owner;
  if (engine !== request.owner.engine || run !== request.owner.run || node !== request.owner.node) {
    throw new ConnectorError('conflict', `The token of this launch was used by node ${node} of run ${run}`);
  }
  return reading.record;
}

/** What the record of every machine says, as `recordFields` reads it. */
export function plannedMachine(
  id: string,
  { owner, token, expiresAt, login }: LaunchRequest,
  { index, name }: MachineRequest,
  now: number,
) {
  return {
    id,
    index,
    name,
    owner: { engine: owner.engine, run: owner.run, node: owner.node },
    token,
    ...(login !== undefined && { login }),
    createdAt: new Date(now),
    expiresAt,
  };
}

/** What crashes left in the staging directory, where nothing ever ran: the paths that nobody has touched for that long. */
export async function staleStages(staging: string, now: number, graceMs: number): Promise<string[]> {
  const paths = ((await unlessMissing(readdir(staging))) ?? []).map((name) => join(staging, name));
  const found = await Promise.all(paths.map((path) => unlessMissing(stat(path))));
  return paths.filter((_, at) => now - (found[at]?.mtimeMs ?? now) > graceMs);
}
