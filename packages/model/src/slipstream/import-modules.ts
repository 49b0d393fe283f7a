import { PacelineError } from '../errors/paceline-error.ts';
import { apiVersion } from '../schema/metadata.ts';
import { importDeployment } from './import-deployment.ts';
import { importImage } from './import-image.ts';
import type { Note } from './import-parameters.ts';
import { moduleYaml } from './module-yaml.ts';
import { folderOf } from './places.ts';
import { readXml, type Element, type Unmapped } from './xml.ts';

/** A file to write, below the folder that is imported into. */
export interface ImportedFile {
  path: string;
  text: string;
  /** A script: it may be run. */
  executable: boolean;
}

export interface Imported {
  files: ImportedFile[];
  /** All that was said and has no place here. */
  unmapped: Unmapped[];
}

/** What is always said of a module and never of what it does. */
const bookkeeping = ['category', 'isLatestVersion', 'resourceUri'];

/**
 * Makes module files of the XML of SlipStream's images, deployments and projects. Scripts stay byte for byte.
 * @param sources XML by the name of its file
 * @throws PACELINE_MODULE_INVALID for what is no module, and for two modules in one place
 */
export async function importSlipstream(sources: Readonly<Record<string, string>>): Promise<Imported> {
  const files = new Map<string, ImportedFile>();
  const unmapped: Unmapped[] = [];
  const all = { apiVersion, kind: 'Project', metadata: { name: 'slipstream', title: 'Imported from SlipStream' }, spec: {} };
  // Without a project above all others, no reference could leave the first one that it is in.
  files.set('project.yaml', { path: 'project.yaml', text: moduleYaml(all), executable: false });
  const modules: { file: string; root: Element; folder: string }[] = [];
  for (const [file, text] of Object.entries(sources)) {
    const root = await readXml(file, text);
    modules.push({ file, root, folder: folderOf(file, root) });
  }
  const isThere = (folder: string): boolean => modules.some((module) => module.folder === folder && module.root.name === 'imageModule');
  for (const { file, root, folder } of modules) {
    const note: Note = (field, value) => void unmapped.push({ module: folder, field, value });
    for (const made of importModule(file, folder, root, note, isThere)) {
      if (files.has(made.path)) throw new PacelineError('PACELINE_MODULE_INVALID', `${file}: there is another module at ${folder}`);
      files.set(made.path, made);
    }
    for (const { field, value } of root.rest()) note(field === '' ? 'its text' : field, value);
  }
  return { files: [...files.values()], unmapped };
}

function importModule(file: string, folder: string, root: Element, note: Note, isThere: (folder: string) => boolean): ImportedFile[] {
  for (const name of bookkeeping) root.attribute(name);
  const metadata = metadataOf(root, folder);
  const path = (name: string): string => `${folder}/${name}`;
  const module = (kind: string, spec: object): ImportedFile => ({
    path: path(`${kind.toLowerCase()}.yaml`),
    text: moduleYaml({ apiVersion, kind, metadata, spec }),
    executable: false,
  });
  switch (root.name) {
    case 'imageModule': {
      const { spec, scripts } = importImage(root, folder, note);
      return [module('Image', spec), ...[...scripts].map(([name, text]) => ({ path: path(name), text, executable: true }))];
    }
    case 'deploymentModule':
      return [module('Deployment', importDeployment(root, folder, note, isThere))];
    case 'projectModule':
      // Those are modules of their own.
      root.child('children')?.dismiss();
      return [module('Project', {})];
    default:
      throw new PacelineError('PACELINE_MODULE_INVALID', `${file}: <${root.name}> is no module of SlipStream`, {
        hint: 'It begins with <imageModule>, <deploymentModule> or <projectModule>.',
      });
  }
}

function metadataOf(root: Element, folder: string): { name: string; description?: string; logo?: string } {
  const description = root.attribute('description');
  const logo = root.attribute('logoLink');
  return {
    name: folder.slice(folder.lastIndexOf('/') + 1),
    ...(description === undefined ? {} : { description }),
    ...(logo === undefined ? {} : { logo }),
  };
}
