import { open, realpath, stat } from 'node:fs/promises';
import type { FileSource } from './file-source.ts';

const absent = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}

/** The files of this computer. */
export function diskFiles(): FileSource {
  return {
    async read(path, limit) {
      try {
        // A pipe or a device would block or never end: look before opening.
        if (!(await stat(path)).isFile()) return undefined;
        await using file = await open(path, 'r');
        const bytes = new Uint8Array(limit + 1);
        let length = 0;
        while (length < bytes.length) {
          const { bytesRead } = await file.read(bytes, length, bytes.length - length);
          if (bytesRead === 0) break;
          length += bytesRead;
        }
        return bytes.slice(0, length);
      } catch (error) {
        if (absent.has(codeOf(error))) return undefined;
        throw error;
      }
    },
    async realPath(path) {
      try {
        return (await realpath(path)).replaceAll('\\', '/');
      } catch {
        return path;
      }
    },
  };
}
