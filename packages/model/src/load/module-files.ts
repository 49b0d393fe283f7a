import { posix } from 'node:path';
import { toError } from '../errors/paceline-error.ts';
import { suggest } from '../parameters/suggestion.ts';
import { decode } from '../source/decode.ts';
import { diagnoseFile, type Diagnostic, type Finding } from '../source/diagnostic.ts';
import { type ModuleDocument, parseModules } from '../source/module-document.ts';
import type { SourceText } from '../source/source-text.ts';
import type { FileSource } from './file-source.ts';
import { largestModule, type Project } from './project.ts';

export const largestScript = 1024 * 1024;

/** A document together with the file it is in. */
export interface LocatedModule {
  /** Absolute path of the file. */
  path: string;
  document: ModuleDocument;
  /** Its name for people: the path in the project, without `/image.yaml`. */
  name: string;
}

/** Reads the files of one load: each once, each within the project. Problems gather in `problems`. */
export interface ModuleFiles {
  project: Project;
  problems: Diagnostic[];
  /** Absolute path → path in the project. */
  relative(path: string): string;
  /**
   * The document that is meant by a path and a name. A folder stands for the `image.yaml` or `deployment.yaml` in it.
   * @returns the module; a finding for the place that refers to it; or undefined when its own file has problems,
   *   which are reported already
   */
  find(
    path: string,
    fragment: string | undefined,
    prefer: 'Image' | 'Deployment',
  ): Promise<LocatedModule | (Finding & { missing?: true }) | undefined>;
  /** The text of a script, or a finding for the place that names it. */
  script(path: string): Promise<{ source: SourceText; bom: boolean } | Finding>;
}

interface ModuleFile {
  documents: ModuleDocument[];
  broken: boolean;
}

/** @param base folder (absolute) that the file names in diagnostics are relative to */
export function moduleFiles(fs: FileSource, project: Project, base: string): ModuleFiles {
  const problems: Diagnostic[] = [...project.problems];
  const read = new Map<string, Promise<ModuleFile | Finding | undefined>>();
  const relative = (path: string): string => posix.relative(project.root, path);
  const shown = (path: string): string => posix.relative(base, path) || posix.basename(path);

  async function bytesOf(path: string, limit: number): Promise<Uint8Array | Finding | undefined> {
    try {
      if (project.bounded) {
        const outside = (real: string, root: string): boolean => real !== root && !real.startsWith(root === '/' ? '/' : `${root}/`);
        const escapes = outside(path, project.root);
        if (escapes || outside(await fs.realPath(path), await fs.realPath(project.root))) {
          return {
            message: `\`${relative(path)}\` ${escapes ? 'is' : 'leads'} outside of the project.`,
            hint: `Modules and scripts must lie in the folder of project.yaml${escapes ? '' : '; this is a symbolic link out of it'}.`,
          };
        }
      }
      const bytes = await fs.read(path, limit);
      if (bytes && bytes.length > limit) return { message: `\`${relative(path)}\` is larger than ${limit / 1024} KiB.` };
      return bytes;
    } catch (error) {
      return { message: `\`${relative(path)}\` cannot be read: ${toError(error).message}` };
    }
  }

  async function readModules(path: string): Promise<ModuleFile | Finding | undefined> {
    const bytes = await bytesOf(path, largestModule);
    if (!(bytes instanceof Uint8Array)) return bytes;
    const decoded = decode(shown(path), bytes);
    if ('problem' in decoded) {
      problems.push(decoded.problem);
      return { documents: [], broken: true };
    }
    const { documents, problems: found } = parseModules(decoded.source);
    const names = documents.map(({ content }) => content.metadata.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) found.push(diagnoseFile(shown(path), { message: `Two documents of the file are called \`${twice}\`.` }));
    problems.push(...found);
    return { documents, broken: found.some(({ severity }) => severity === 'error') };
  }

  function cached(path: string): Promise<ModuleFile | Finding | undefined> {
    let file = read.get(path);
    if (file === undefined) read.set(path, (file = readModules(path)));
    return file;
  }

  function nameOf(path: string, document: ModuleDocument, alone: boolean): string {
    const { name } = document.content.metadata;
    const stem = relative(path).replace(/\.ya?ml$/, '');
    const folder = /(^|\/)(image|deployment)$/.test(stem) ? posix.dirname(stem) : stem;
    if (folder === '.') return name;
    return alone ? folder : `${folder}#${name}`;
  }

  return {
    project,
    problems,
    relative,
    async find(path, fragment, prefer) {
      const inFolder = prefer === 'Image' ? ['image.yaml', 'deployment.yaml'] : ['deployment.yaml', 'image.yaml'];
      const candidates = [path, ...inFolder.map((name) => posix.join(path, name))];
      for (const candidate of candidates) {
        const file = await cached(candidate);
        if (file === undefined) continue;
        if ('message' in file) return file;
        const chosen = choose(file, relative(candidate), fragment, prefer);
        if (chosen === undefined || 'message' in chosen) return chosen;
        return { path: candidate, document: chosen, name: nameOf(candidate, chosen, file.documents.length === 1) };
      }
      return {
        missing: true,
        message: `There is no module \`${relative(path) || '.'}\`.`,
        hint: `Looked for ${candidates.map((one) => `\`${relative(one) || '.'}\``).join(', ')}.`,
      };
    },
    async script(path) {
      const bytes = await bytesOf(path, largestScript);
      if (bytes === undefined)
        return {
          message: `There is no file \`${relative(path)}\`.`,
          hint: 'The path of a script is relative to the module file.',
        };
      if (!(bytes instanceof Uint8Array)) return bytes;
      const decoded = decode(relative(path), bytes);
      if ('source' in decoded) return decoded;
      return {
        message: `The script \`${relative(path)}\` is not UTF-8 text (line ${decoded.problem.line}).`,
        hint: 'Save it again as UTF-8; binaries belong on the machine, not in a module.',
      };
    },
  };
}

function choose(file: ModuleFile, shown: string, fragment: string | undefined, prefer: string): ModuleDocument | Finding | undefined {
  const names = file.documents.map(({ content }) => content.metadata.name);
  if (fragment !== undefined) {
    const named = file.documents.find(({ content }) => content.metadata.name === fragment);
    if (named !== undefined || file.broken) return named;
    return { message: `There is no \`${fragment}\` in \`${shown}\`.`, hint: suggest(fragment, names) };
  }
  if (file.documents.length <= 1 || file.broken) return file.broken ? undefined : file.documents[0];
  const preferred = file.documents.filter(({ kind }) => kind === prefer);
  if (preferred.length === 1) return preferred[0];
  return {
    message: `\`${shown}\` holds ${file.documents.length} modules.`,
    hint: `Say which one: ${names.map((name) => `#${name}`).join(', ')}.`,
  };
}
