import { open } from 'node:fs/promises';

/** Writes a file that must not be there yet. It is on disk when this returns; its name is after {@link flushDirectory}. */
export async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(text);
  await file.sync();
}

/** A name is on disk only after its directory is. */
export async function flushDirectory(directory: string): Promise<void> {
  await using handle = await open(directory);
  await handle.sync();
}
