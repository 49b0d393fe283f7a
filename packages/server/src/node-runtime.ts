import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';

/** The Node.js that runs this server, for machines that can run it and have none. */
export interface NodeRuntime {
  path: string;
  /** Of the machines on which it runs, as `uname -m` says. */
  machine: string;
  sha256: string;
}

const machines: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };

const noteSchema = z.object({ path: z.string(), size: z.number(), mtimeMs: z.number(), sha256: z.string() });

/**
 * Undefined where it would not run on other machines: it is not for Linux, or stands on libraries of this host.
 * @param note file in which its digest is kept, which takes a while to work out
 */
export async function findNodeRuntime(note: string, path = process.execPath): Promise<NodeRuntime | undefined> {
  const machine = machines[process.arch];
  const { variables } = process.config as { variables: { node_shared?: boolean } };
  if (process.platform !== 'linux' || machine === undefined || variables.node_shared === true) return undefined;
  const { size, mtimeMs } = await stat(path);
  const noted = noteSchema.safeParse(
    await readFile(note, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined),
  );
  if (noted.success && noted.data.path === path && noted.data.size === size && noted.data.mtimeMs === mtimeMs) {
    return { path, machine, sha256: noted.data.sha256 };
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  const sha256 = hash.digest('hex');
  await writeFile(note, JSON.stringify({ path, size, mtimeMs, sha256 }), { mode: 0o600 });
  return { path, machine, sha256 };
}
