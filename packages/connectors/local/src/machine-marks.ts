import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import type { MachineMarks } from './process-match.ts';
import { parseStat } from './process-table.ts';
import type { Site } from './site.ts';

/** What the machine's processes can be recognised by. Needs no record, so that also a damaged machine can be ended. */
export async function readMarks(site: Site, id: string): Promise<MachineMarks> {
  const directory = join(site.machines, id);
  const text = await unlessMissing(readFile(join(directory, 'process'), 'utf8'));
  const leader = text === undefined ? undefined : parseLeader(text);
  return { id, directory, ...(leader && { leader }) };
}

/** The shell writes its line of /proc, or its pid alone where there is none. */
function parseLeader(text: string): { pid: number; start: string } | undefined {
  const stat = parseStat(text);
  if (stat !== undefined) {
    return { pid: stat.pid, start: stat.start };
  }
  const pid = Number.parseInt(text, 10);
  return pid > 1 ? { pid, start: '' } : undefined;
}
