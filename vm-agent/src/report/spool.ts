import { createHash } from 'node:crypto';
import { closeSync, createWriteStream, fsync, openSync, renameSync, rmSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { promisify } from 'node:util';

export interface Spooled {
  size: number;
  /** Hexadecimal. */
  sha256: string;
}

/** Compress to a file, with constant memory. The file has its name only once it is whole. */
export async function spool(content: Iterable<Buffer>, file: string, signal: AbortSignal): Promise<Spooled> {
  // Loaded only now: most of the time an agent has no use for them.
  const [{ createGzip }, { pipeline }] = await Promise.all([import('node:zlib'), import('node:stream/promises')]);
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const part = `${file}.part`;
  const source = Readable.from(content, { objectMode: true, highWaterMark: 1 });
  try {
    // A fast level: a report is sent once and read seldom. Larger blocks (memLevel) take 0.1 MiB, and a fifth less time for what does not shrink.
    const gzip = createGzip({ level: 2, memLevel: 9, chunkSize: 64 * 1024 });
    await pipeline(source, gzip, measure, createWriteStream(part, { mode: 0o600 }), { signal });
    await sync(part);
    renameSync(part, file);
  } finally {
    // A disk that it has filled has its room again.
    rmSync(part, { force: true });
  }
  return { size, sha256: hash.digest('hex') };
}

/** Takes its time, in which the agent has other things to do. */
async function sync(file: string): Promise<void> {
  const fd = openSync(file, 'r');
  try {
    await promisify(fsync)(fd);
  } finally {
    closeSync(fd);
  }
}

/** SlipStream's name of a report: `client.1_report_2012-01-19T203527Z.tgz`. */
export function reportName(instance: string, now: number): string {
  return `${instance}_report_${new Date(now).toISOString().slice(0, 19).replaceAll(':', '')}Z.tgz`;
}
