import { posix } from 'node:path';
import { PacelineError } from '../errors/paceline-error.ts';
import { findProject } from '../load/project.ts';
import type { FileSource } from '../load/file-source.ts';
import { moduleFiles, type LocatedModule, type ModuleFiles } from '../load/module-files.ts';
import { type ModuleReference, parseModuleReference } from '../load/module-reference.ts';
import { parseReference, type Reference } from '../load/reference.ts';
import { reporter } from '../load/reporter.ts';
import { resolveScripts } from '../load/scripts.ts';
import { labelPattern } from '../schema/names.ts';
import { scriptPhases, type ScriptPhase } from '../resolved/image.ts';
import type { DeploymentFile } from '../schema/deployment.ts';
import { formatDiagnostic } from '../source/diagnostic.ts';
import { exportImage } from './export-image.ts';
import type { Note } from './import-parameters.ts';
import { placeOf } from './places.ts';
import { shown, type Unmapped } from './xml.ts';
import { canBeWritten, writeXml, type Tag } from './xml-writer.ts';

export interface Exported {
  /** XML by the name of its file: `examples/apache.xml`. */
  files: Record<string, string>;
  unmapped: Unmapped[];
}

/**
 * Writes a module, and all modules that it refers to, as XML that SlipStream takes.
 * @param path absolute: a module file, `FILE#NAME`, or the folder of one
 * @throws PACELINE_MODULE_INVALID, PACELINE_MODULE_NOT_FOUND
 */
export async function exportSlipstream(path: string, fs: FileSource): Promise<Exported> {
  const [target = path, fragment] = path.split('#', 2);
  const isFile = (await fs.read(target, 0).catch(() => true)) !== undefined;
  const project = await findProject(fs, isFile ? posix.dirname(target) : target);
  const files = moduleFiles(fs, project, project.root);
  const exported: Exported = { files: {}, unmapped: [] };
  const todo: LocatedModule[] = [located(files, target, await files.find(target, fragment, 'Deployment'))];
  const done = new Map<string, LocatedModule>();
  for (let module = todo.pop(); module !== undefined; module = todo.pop()) {
    const { name } = module;
    const place = placeOf(name);
    const other = done.get(place);
    if (other?.document === module.document) continue;
    if (other !== undefined) throw inOnePlace(place, [other, module], files);
    done.set(place, module);
    const note: Note = (field, value) => void exported.unmapped.push({ module: name, field, value: shown(value) });
    const tag = await exportModule(module, files, note, (other) => void todo.push(other));
    if (tag === undefined) continue;
    const text = writeXml(tag);
    if (!canBeWritten(text)) throw new PacelineError('PACELINE_MODULE_INVALID', `${name} has control characters, which XML cannot say`);
    exported.files[`${place}.xml`] = text;
  }
  const errors = files.problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return exported;
  throw new PacelineError('PACELINE_MODULE_INVALID', [`${path} cannot be exported.`, ...errors.map(formatDiagnostic)].join('\n\n'));
}

async function exportModule(
  module: LocatedModule,
  files: ModuleFiles,
  note: Note,
  also: (module: LocatedModule) => void,
): Promise<Tag | undefined> {
  const { kind, content } = module.document;
  const { name: _, description, logo, ...otherMetadata } = content.metadata;
  noteAll(otherMetadata, (field, value) => note(`metadata/${field}`, value));
  const place = placeOf(module.name);
  const parent = posix.dirname(place);
  const attributes = {
    category: kind,
    shortName: posix.basename(place),
    parentUri: parent === '.' ? 'module' : `module/${parent}`,
    description,
    logoLink: logo,
  };
  const uriOf = async (text: string): Promise<string> => {
    const reference = parseReference(text);
    if ('message' in reference) throw new PacelineError('PACELINE_MODULE_INVALID', `${module.name}: ${reference.message}`);
    const other = await refer(module, files, reference);
    if ('digest' in other || 'channel' in other || ('digest' in reference && reference.digest !== undefined))
      note('a pinned reference', text);
    if (!('document' in other)) return ['module', other.name, other.version].filter((part) => part !== undefined).join('/');
    also(other);
    return `module/${placeOf(other.name)}`;
  };
  if (kind === 'Image') {
    const { spec } = content;
    const report = reporter(module.document.yaml, files.problems);
    const scripts = Object.fromEntries(
      Object.entries(await resolveScripts(files, module, spec.scripts ?? {}, report)).map(([phase, script]) => [phase, script?.text]),
    ) as Partial<Record<ScriptPhase, string>>;
    for (const phase of scriptPhases) {
      const text = scripts[phase];
      if (text === undefined || canBeWritten(text)) continue;
      throw new PacelineError(
        'PACELINE_MODULE_INVALID',
        `${module.name}: the script ${phase} has control characters, which XML cannot say`,
      );
    }
    const image = exportImage({ spec, scripts, parent: spec.extends === undefined ? undefined : await uriOf(spec.extends) }, note);
    return { name: 'imageModule', attributes: { ...attributes, ...image.attributes }, children: image.children ?? [] };
  }
  if (kind === 'Deployment') {
    const { nodes: described, parameters = {}, ...others } = content.spec;
    const nodes = await Promise.all(
      Object.entries(described).map(async ([name, node]) => nodeTag(name, node, await uriOf(node.image), note)),
    );
    noteAll(others, note);
    for (const name of Object.keys(parameters)) note('parameters', name);
    return { name: 'deploymentModule', attributes, children: [{ name: 'nodes', children: nodes }] };
  }
  return undefined;
}

/** All that is said, whatever there is to say one day. */
function noteAll(fields: object, note: Note): void {
  for (const [field, value] of Object.entries(fields) as [string, unknown][])
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) note(field, typeof one === 'object' ? JSON.stringify(one) : String(one));
}

function nodeTag(name: string, node: DeploymentFile['spec']['nodes'][string], imageUri: string, note: Note): Tag {
  const { multiplicity = 1, cloud, maxProvisioningFailures, parameters = {} } = node;
  const isNamed = cloud !== undefined && cloud !== 'any';
  if (isNamed && !labelPattern.test(cloud)) note(`nodes/${name}/cloud`, cloud);
  if (typeof multiplicity === 'string') note(`nodes/${name}/multiplicity`, multiplicity);
  const mappings = Object.entries(parameters).flatMap(([key, input]): Tag[] => {
    const value = typeof input === 'object' ? ('from' in input ? input.from : input.value) : input;
    const isExpression = typeof value === 'string' && value.includes('${{');
    if (isExpression) note(`nodes/${name}/parameters/${key}`, value);
    if (isExpression) return [];
    const isMapped = typeof input === 'object' && 'from' in input;
    const text = isMapped ? String(value) : quotedConstant(String(value));
    return [
      {
        name: 'entry',
        children: [
          { name: 'string', text: key },
          {
            name: 'parameter',
            attributes: { name: key, type: 'String', isMappedValue: String(isMapped) },
            children: [{ name: 'value', text }],
          },
        ],
      },
    ];
  });
  return {
    name: 'entry',
    children: [
      { name: 'string', text: name },
      {
        name: 'node',
        attributes: {
          name,
          multiplicity: String(typeof multiplicity === 'number' ? multiplicity : 1),
          maxProvisioningFailures: maxProvisioningFailures === undefined ? undefined : String(maxProvisioningFailures),
          cloudService: isNamed && labelPattern.test(cloud) ? cloud : 'default',
          imageUri,
        },
        children: mappings.length === 0 ? [] : [{ name: 'parameterMappings', children: mappings }],
      },
    ],
  };
}

function quotedConstant(text: string): string {
  return text.includes("'") ? `"${text}"` : `'${text}'`;
}

function inOnePlace(place: string, modules: readonly LocatedModule[], files: ModuleFiles): PacelineError {
  const names = modules.map(({ path, document }) => `${files.relative(path)} (${document.kind} ${document.content.metadata.name})`);
  return new PacelineError('PACELINE_MODULE_INVALID', `${names.join(' and ')} would both be ${place} in SlipStream`, {
    hint: 'Put one of them into a folder of its own.',
  });
}

/** The module of the files that is meant, or the published one: that is exported where it comes from. */
async function refer(module: LocatedModule, files: ModuleFiles, reference: Reference): Promise<LocatedModule | ModuleReference> {
  if (!('path' in reference)) return parseModuleReference(reference.published);
  const target = reference.path === '' ? module.path : posix.join(posix.dirname(module.path), reference.path);
  const other = await files.find(target, reference.fragment, 'Image');
  if (reference.published !== undefined && other !== undefined && 'missing' in other) return parseModuleReference(reference.published);
  return located(files, target, other);
}

function located(files: ModuleFiles, target: string, module: Awaited<ReturnType<ModuleFiles['find']>>): LocatedModule {
  if (module === undefined)
    throw new PacelineError('PACELINE_MODULE_INVALID', files.problems.map(formatDiagnostic).join('\n\n') || `${target} cannot be read`);
  if ('message' in module)
    throw new PacelineError('PACELINE_MODULE_NOT_FOUND', module.message, module.hint === undefined ? {} : { hint: module.hint });
  return module;
}
