import { posix } from 'node:path';
import { labelPattern, packageNamePattern } from '../schema/names.ts';
import type { ImageFile } from '../schema/image.ts';
import type { ScriptPhase } from '../resolved/image.ts';
import { importParameters, type Note } from './import-parameters.ts';
import { parseUri, relativeTo } from './places.ts';
import { shown, type Element } from './xml.ts';

/** What a script is called in SlipStream, here, and as a file. */
export const scriptNames: readonly { target: string; phase: ScriptPhase; file: string }[] = [
  { target: 'prerecipe', phase: 'preInstall', file: 'pre-install' },
  { target: 'recipe', phase: 'postInstall', file: 'post-install' },
  { target: 'execute', phase: 'deploy', file: 'deploy' },
  { target: 'report', phase: 'report', file: 'report' },
  { target: 'onvmadd', phase: 'onVmAdd', file: 'on-vm-add' },
  { target: 'onvmremove', phase: 'onVmRemove', file: 'on-vm-remove' },
  { target: 'prescale', phase: 'preScale', file: 'pre-scale' },
  { target: 'postscale', phase: 'postScale', file: 'post-scale' },
];

export interface ImportedImage {
  spec: ImageFile['spec'];
  /** By file name. */
  scripts: Map<string, string>;
}

/** @param folder the image's own, that references are relative to */
export function importImage(root: Element, folder: string, note: Note): ImportedImage {
  const { parameters, resources } = importParameters(root, note);
  const scripts = new Map<string, string>();
  const phases: Partial<Record<ScriptPhase, string>> = {};
  const texts = new Map<string, string>();
  const take = (name: string, text: string): void => {
    const first = texts.get(name) ?? '';
    if (first.trim() === '') texts.set(name, text);
    else if (text.trim() !== '' && text !== first) note(`targets/${name} (another)`, shown(text));
  };
  for (const target of root.child('targets')?.children('target') ?? []) take(target.attribute('name') ?? '', target.text());
  for (const name of ['prerecipe', 'recipe']) for (const recipe of root.children(name)) take(name, recipe.text());
  for (const { target, phase, file } of scriptNames) {
    const text = texts.get(target) ?? '';
    texts.delete(target);
    if (text.trim() === '') continue;
    const path = `${file}${endingOf(text)}`;
    scripts.set(path, text);
    phases[phase] = path;
  }
  for (const [target, text] of texts) if (text.trim() !== '') note(`targets/${target}`, shown(text));
  const packages = importPackages(root, note);
  const clouds = importClouds(root, note);
  const parent = importParent(root, folder, note);
  const platform = root.attribute('platform');
  if (platform !== undefined) note('@platform', platform);
  const spec: ImageFile['spec'] = {
    ...(parent === undefined ? {} : { extends: parent }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    ...(Object.keys(clouds).length === 0 ? {} : { clouds }),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    ...(packages.length === 0 ? {} : { packages }),
    ...(Object.keys(phases).length === 0 ? {} : { scripts: phases }),
  };
  return { spec, scripts };
}

function importParent(root: Element, folder: string, note: Note): string | undefined {
  const uri = root.attribute('moduleReferenceUri');
  // A base image points at images of clouds only.
  const isBase = root.attribute('isBase') === 'true';
  if (uri === undefined) {
    if (!isBase && root.attribute('isBase') !== undefined) note('@isBase', 'false, and it stands on nothing');
    return undefined;
  }
  const parent = parseUri(uri);
  if (parent === undefined || isBase) {
    note('@moduleReferenceUri', uri);
    return undefined;
  }
  if (parent.version !== undefined) note('@moduleReferenceUri (its version)', uri);
  return relativeTo(folder, parent.folder);
}

function importPackages(root: Element, note: Note): string[] {
  return (root.child('packages')?.children('package') ?? []).flatMap((element) => {
    const name = element.attribute('name') ?? '';
    if (packageNamePattern.test(name)) return [name];
    note('packages/package/@name', name);
    return [];
  });
}

function importClouds(root: Element, note: Note): NonNullable<ImageFile['spec']['clouds']> {
  const login = root.attribute('loginUser');
  const clouds = new Map<string, NonNullable<ImageFile['spec']['clouds']>[string]>();
  for (const element of root.child('cloudImageIdentifiers')?.children('cloudImageIdentifier') ?? []) {
    const cloud = element.attribute('cloudServiceName') ?? '';
    const image = element.attribute('cloudImageIdentifier');
    // It follows from the module and the cloud.
    element.attribute('resourceUri');
    if (image === undefined) continue;
    if (!labelPattern.test(cloud) || clouds.has(cloud)) note(`cloudImageIdentifiers/${cloud}`, image);
    else clouds.set(cloud, login === undefined ? image : { image, login });
  }
  if (login !== undefined && clouds.size === 0) note('@loginUser', login);
  return Object.fromEntries(clouds);
}

function endingOf(text: string): string {
  if (!text.startsWith('#!')) return '';
  const [first = ''] = text.slice(2).split('\n', 1);
  const program = first.split(/\s+/).findLast((word) => word !== '' && !word.startsWith('-'));
  const interpreter = posix.basename(program ?? '');
  if (/^(sh|bash|dash|ksh|zsh)$/.test(interpreter)) return '.sh';
  if (interpreter.startsWith('python')) return '.py';
  return '';
}
