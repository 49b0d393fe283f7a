import { Readable } from 'node:stream';
import { Parser, type ReadEntry } from 'tar';

/** The regular files of a gzipped tar, as text, by name. */
export async function filesOf(archive: Buffer): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const parser = new Parser();
  parser.on('entry', (entry: ReadEntry) => {
    const chunks: Buffer[] = [];
    entry.on('data', (chunk: Buffer) => chunks.push(chunk));
    entry.on('end', () => {
      if (entry.type === 'File') files[entry.path] = Buffer.concat(chunks).toString('utf8');
    });
  });
  const done = new Promise((resolve, reject) => parser.on('end', resolve).on('error', reject));
  Readable.from([archive]).pipe(parser);
  await done;
  return files;
}
