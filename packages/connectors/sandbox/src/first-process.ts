import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { readRecord } from './machine-record.ts';
import { machineDirectory } from './site.ts';

/**
 * The first process of a machine, as this host numbers it; undefined when the machine does not run. Its supervisor has a namespace
 * of processes of its own, and knows it by another number.
 */
export async function firstProcess(run: string, id: string): Promise<number | undefined> {
  const reading = await readRecord(machineDirectory(run, id));
  if (reading === undefined || !('record' in reading)) {
    return undefined;
  }
  const { name } = reading.record;
  const script = join('/', 'runs', basename(run), 'enter.sh');
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const words = (await unlessGone(readFile(`/proc/${pid}/cmdline`, 'utf8')))?.split('\0') ?? [];
    // The one that waits for the first process has been started as `unshare … sh RUN/enter.sh LAYERS OPTIONS NAME NODE`.
    if (words[0] !== 'unshare' || !words.some((word) => word.endsWith(script)) || !words.includes(name)) {
      continue;
    }
    const [child] = ((await unlessGone(readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))) ?? '').split(' ');
    return child === undefined || child === '' ? undefined : Number(child);
  }
  return undefined;
}

/** A process can end while it is looked at. */
async function unlessGone(text: Promise<string>): Promise<string | undefined> {
  return unlessMissing(text).catch(() => undefined);
}
