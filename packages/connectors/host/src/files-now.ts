import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';

/** Words that are others once one of these files, or folders, is another, as far as that shows in its size and time. @throws ENOENT */
export async function filesNow(paths: readonly string[]): Promise<string> {
  const facts = await Promise.all(
    paths.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return [path, size, mtimeMs];
    }),
  );
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
