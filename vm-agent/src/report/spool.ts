import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';

export interface Spooled {
  size: number;
  /** Hexadecimal. */
  sha256: string;
}

/** Compress to a file, with constant memory. The file has its name only once it is whole. */
export async function spool(content: AsyncIterable<Buffer>, file: string, signal: AbortSignal): Promise<Spooled> {
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
  // A fast level: a report is sent once and read seldom.
  await pipeline(source, createGzip({ level: 2, chunkSize: 64 * 1024 }), measure, createWriteStream(part, { mode: 0o600 }), { signal });
  const handle = await open(part, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  return { size, sha256: hash.digest('hex') };
}

/** SlipStream's name of a report: `client.1_report_2012-01-19T203527Z.tgz`. */
export function reportName(instance: string, now: number): string {
  return `${instance}_report_${new Date(now).toISOString().slice(0, 19).replaceAll(':', '')}Z.tgz`;
}
