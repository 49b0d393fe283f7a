import { posix } from 'node:path';
import { PacelineError } from '../errors/paceline-error.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import type { ResolvedImage } from '../resolved/image.ts';
import { type Diagnostic, diagnoseFile, formatDiagnostic, sortDiagnostics } from '../source/diagnostic.ts';
import type { FileSource } from './file-source.ts';
import { type LocatedModule, type ModuleFiles, moduleFiles } from './module-files.ts';
import { PublishedImages, type PublishedModules } from './published-images.ts';
import { findProject } from './project.ts';
import { imageDeployment, resolveDeployment } from './resolve-deployment.ts';
import { imageResolver } from './resolve-image.ts';

export interface LoadOptions {
  fs: FileSource;
  /** Folder that a relative path starts from, and that file names in diagnostics are relative to. Absolute. */
  cwd?: string;
  /** The published modules that files may refer to; without it they can refer to none. */
  published?: PublishedModules;
}

/** A module with nothing left to look up. An image comes with the deployment of its single `machine`. */
export type LoadedModule =
  | { kind: 'Deployment'; deployment: ResolvedDeployment; warnings: Diagnostic[] }
  | { kind: 'Image'; image: ResolvedImage; deployment: ResolvedDeployment; warnings: Diagnostic[] };

export interface CheckedModule {
  /** Absent when there are errors, or when the file is a Project. */
  module?: LoadedModule;
  kind?: 'Image' | 'Deployment' | 'Project';
  /** All problems, errors and warnings, in the order of the files. */
  diagnostics: Diagnostic[];
}

/**
 * Loads an image or a deployment with everything that it refers to.
 * @param path of the file, or of the folder with a `deployment.yaml` or `image.yaml`; `#name` chooses a document
 * @throws PacelineError PACELINE_MODULE_NOT_FOUND when there is no such file, PACELINE_MODULE_INVALID with every
 *   problem in its message and as `data.diagnostics`; what keeps the registry from answering when a published module is referred to
 */
export async function loadModule(path: string, options: LoadOptions): Promise<LoadedModule> {
  const { module, kind, diagnostics } = await checkModule(path, options);
  if (module !== undefined) return module;
  if (kind === 'Project') {
    throw new PacelineError('PACELINE_MODULE_INVALID', `${path} is a Project: there is nothing in it to run.`, {
      hint: 'Name a deployment or an image in it.',
      data: { diagnostics },
    });
  }
  throw invalid(path, diagnostics);
}

/**
 * Like {@link loadModule}, but returns the problems instead of throwing them.
 * @throws PacelineError PACELINE_MODULE_NOT_FOUND when there is no such file
 */
export async function checkModule(path: string, { fs, cwd = '/', published }: LoadOptions): Promise<CheckedModule> {
  const [written = path, fragment] = path.split('#', 2);
  const target = posix.resolve(cwd, written);
  // What cannot be read is there all the same; the reason is reported when it is read again.
  const isFile = (await fs.read(target, 0).catch(() => true)) !== undefined;
  const folder = isFile ? posix.dirname(target) : target;
  const project = await findProject(fs, folder);
  const files = moduleFiles(fs, project, cwd === '/' ? project.root : cwd);
  const found = await files.find(target, fragment, 'Deployment');
  if (found === undefined) return { diagnostics: sortDiagnostics(files.problems) };
  if ('message' in found) {
    const { message, hint, missing } = found;
    if (missing)
      throw new PacelineError('PACELINE_MODULE_NOT_FOUND', `There is no module \`${path}\`.`, hint === undefined ? {} : { hint });
    return { diagnostics: sortDiagnostics([...files.problems, diagnoseFile(path, { message, hint })]) };
  }
  return resolve(found, files, new PublishedImages(published));
}

async function resolve(module: LocatedModule, files: ModuleFiles, published: PublishedImages): Promise<CheckedModule> {
  const { document } = module;
  const { kind } = document;
  const images = imageResolver(files, published);
  const diagnostics = (): Diagnostic[] => sortDiagnostics(files.problems);
  const failed = (): boolean => files.problems.some(({ severity }) => severity === 'error');
  if (kind === 'Image') {
    const image = await images.image(module);
    if (image === undefined || failed()) return { kind, diagnostics: diagnostics() };
    const deployment = imageDeployment(image, document.content.metadata.tags ?? []);
    return { kind, module: { kind, image, deployment, warnings: diagnostics() }, diagnostics: diagnostics() };
  }
  if (kind === 'Deployment') {
    const deployment = await resolveDeployment(module, document, files, images);
    if (deployment === undefined || failed()) return { kind, diagnostics: diagnostics() };
    return { kind, module: { kind, deployment, warnings: diagnostics() }, diagnostics: diagnostics() };
  }
  return { kind, diagnostics: diagnostics() };
}

/** All problems as one error that can be read from top to bottom. */
function invalid(path: string, diagnostics: readonly Diagnostic[]): PacelineError {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const head = `${path} cannot be used: ${errors} ${errors === 1 ? 'problem' : 'problems'}.`;
  return new PacelineError('PACELINE_MODULE_INVALID', [head, ...diagnostics.map(formatDiagnostic)].join('\n\n'), {
    data: { diagnostics },
  });
}
