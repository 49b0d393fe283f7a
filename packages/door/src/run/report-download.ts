import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, ReportView } from '@paceline/api';
import { PacelineError } from '@paceline/model';

/**
 * Downloads a report into a folder and checks it. One that is there already, whole, is not fetched again.
 * @returns the path of the file
 * @throws PACELINE_REPORT_CORRUPT
 */
export async function downloadReport(client: Client, run: string, { name, sha256 }: ReportView, folder: string): Promise<string> {
  // The server checks names, but this client need not trust it with what is written where.
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.'))
    throw new PacelineError('PACELINE_REPORT_CORRUPT', `'${name}' is not the name of a report`);
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  if ((await digestOf(path)) === sha256) return path;
  const part = `${path}.part`;
  try {
    const hash = createHash('sha256');
    await using file = await open(part, 'w');
    for await (const chunk of client.reports.download(run, name)) {
      hash.update(chunk);
      await file.write(chunk);
    }
    if (hash.digest('hex') !== sha256)
      throw new PacelineError('PACELINE_REPORT_CORRUPT', `The report ${name} did not arrive as it is on the server`, {
        hint: 'Try again.',
      });
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  await rename(part, path);
  return path;
}

async function digestOf(path: string): Promise<string | undefined> {
  try {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
