import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../..');

/** The files of the repository: what Git knows and what is there. */
export const trackedFiles: string[] = execFileSync('git', ['ls-files', '-z'], { cwd: repository, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(repository, path)));

export const sourceFiles = trackedFiles.filter((path) => /\.(ts|tsx|mjs|js)$/.test(path));

/** Folders with files in them, without those of the single examples. */
export const folders = [...new Set(trackedFiles.map((path) => dirname(path)))].filter((path) => !/^examples\/./.test(path));

export function isTest(path: string): boolean {
  return /\.test\.tsx?$|\/testing\/|^test\//.test(path);
}

export function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

export function readJson<T>(path: string): T {
  return JSON.parse(read(path)) as T;
}

export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  license?: string;
  type?: string;
  workspaces?: string[];
  exports?: Record<string, Record<string, string>>;
  files?: string[];
  bin?: Record<string, string>;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export const rootManifest = readJson<Manifest>('package.json');

/** The folders of the workspaces, with their manifests. */
export const workspaces: { folder: string; manifest: Manifest }[] = globSync(rootManifest.workspaces ?? [], { cwd: repository })
  .filter((folder) => trackedFiles.includes(`${folder}/package.json`))
  .toSorted()
  .map((folder) => ({ folder, manifest: readJson<Manifest>(`${folder}/package.json`) }));
