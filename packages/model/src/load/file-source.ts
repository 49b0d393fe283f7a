import { posix } from 'node:path';

/** How the loader reads files. Paths are absolute, with `/` between the parts. */
export interface FileSource {
  /**
   * The bytes of a file, reading no more than `limit + 1` of them (one more than allowed tells that it is too big).
   * Undefined when there is no such file, or it is not a file. Throws when it cannot be read.
   */
  read(path: string, limit: number): Promise<Uint8Array | undefined>;
  /** The path with every symbolic link followed; of what does not exist, the path as it is. */
  realPath(path: string): Promise<string>;
}

/**
 * Files in memory, for tests and for modules that come from elsewhere than a disk.
 * @param files content by absolute path
 * @param links target (absolute) by the absolute path of a symbolic link
 */
export function memoryFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  links: Readonly<Record<string, string>> = {},
): FileSource {
  const follow = (path: string): string => {
    for (const [link, target] of Object.entries(links)) {
      if (path === link || path.startsWith(`${link}/`)) return posix.join(target, path.slice(link.length));
    }
    return path;
  };
  return {
    async read(path, limit) {
      const target = follow(path);
      const content = Object.hasOwn(files, target) ? files[target] : undefined;
      return (typeof content === 'string' ? new TextEncoder().encode(content) : content)?.subarray(0, limit + 1);
    },
    realPath: async (path) => follow(path),
  };
}
