import { posix } from 'node:path';
import { decode } from '../source/decode.ts';
import type { Diagnostic } from '../source/diagnostic.ts';
import { parseModules } from '../source/module-document.ts';
import type { FileSource } from './file-source.ts';

export const largestModule = 512 * 1024;

/** The folder that the names of modules are relative to. */
export interface Project {
  /** Absolute path of the folder. */
  root: string;
  /** Whether a `project.yaml` marks it, so that nothing outside may be read. */
  bounded: boolean;
  problems: Diagnostic[];
}

/**
 * Finds the project that a folder belongs to: the highest folder above it with a `project.yaml` of ours (projects may
 * lie in projects). Without any, the folder itself, unbounded.
 */
export async function findProject(fs: FileSource, folder: string): Promise<Project> {
  let project: Project = { root: folder, bounded: false, problems: [] };
  for (let at = folder; ; at = posix.dirname(at)) {
    const bytes = await fs.read(posix.join(at, 'project.yaml'), largestModule).catch(() => undefined);
    const decoded = bytes && decode('project.yaml', bytes);
    // Other tools have a project.yaml too.
    if (decoded && 'source' in decoded && /^\s*["']?apiVersion["']?\s*:\s*["']?paceline\.dev\//m.test(decoded.source.text)) {
      project = { root: at, bounded: true, problems: parseModules(decoded.source).problems };
    }
    if (at === posix.dirname(at)) return project;
  }
}
