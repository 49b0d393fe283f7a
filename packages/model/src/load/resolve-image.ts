import { posix } from 'node:path';
import { imageDigest } from '../digest.ts';
import { nodeLevelNames } from '../parameters/system.ts';
import { parseSize } from '../quantity/size.ts';
import type { Port, ResolvedImage, Resources } from '../resolved/image.ts';
import type { ImageFile } from '../schema/image.ts';
import type { Finding } from '../source/diagnostic.ts';
import type { ModuleDocument } from '../source/module-document.ts';
import type { Path } from '../source/yaml-document.ts';
import { resolveDeclarations } from './declarations.ts';
import type { LocatedModule, ModuleFiles } from './module-files.ts';
import type { PublishedImages } from './published-images.ts';
import { parseReference } from './reference.ts';
import { reporter, type Reporter } from './reporter.ts';
import { resolveScripts } from './scripts.ts';

type Spec = ImageFile['spec'];

/** Resolves images, each once. Undefined: the image has problems, which are reported. */
export interface ImageResolver {
  /** The image of a module that is at hand. */
  image(module: LocatedModule, chain?: readonly LocatedModule[]): Promise<ResolvedImage | undefined>;
  /** The image that a reference at `path` of `from` means; `chain` is the way of `extends` that led there. */
  refer(from: LocatedModule, path: Path, reference: string, chain?: readonly LocatedModule[]): Promise<ResolvedImage | undefined>;
}

export function imageResolver(files: ModuleFiles, published: PublishedImages): ImageResolver {
  // One after the other, never side by side: two chains that wait for each other would wait for ever.
  const done = new Map<ModuleDocument, Promise<ResolvedImage | undefined>>();

  async function refer(
    from: LocatedModule,
    path: Path,
    text: string,
    chain: readonly LocatedModule[] = [],
  ): Promise<ResolvedImage | undefined> {
    const report = reporter(from.document.yaml, files.problems);
    const refuse = (finding: Finding): undefined => {
      report(path, finding);
      return undefined;
    };
    const reference = parseReference(text);
    if ('message' in reference) return refuse(reference);
    if (!('path' in reference)) return publishedAt(path, reference.published, noSuchVersion(reference.published), report);
    const target = reference.path === '' ? from.path : posix.join(posix.dirname(from.path), reference.path);
    const found = await files.find(target, reference.fragment, 'Image');
    if (found === undefined) return undefined;
    if ('message' in found) {
      const { missing, ...finding } = found;
      if (missing !== true || reference.published === undefined) return refuse(finding);
      const message = `There is neither a module file \`${reference.path}\` nor a published module \`${reference.published}\`.`;
      return publishedAt(path, reference.published, { ...finding, message }, report);
    }
    if (found.document.kind !== 'Image') {
      return refuse({
        message: `\`${text}\` is a ${found.document.kind}, not an Image.`,
        hint: chain.length > 0 ? 'Only images extend images; a deployment is not inherited from.' : 'A node is made of an image.',
      });
    }
    const turn = chain.findIndex(({ document }) => document === found.document);
    if (turn !== -1) {
      const names = [...chain.slice(turn), found].map(({ name }) => name);
      return refuse({ message: `The images extend each other in a circle: ${names.join(' → ')}.` });
    }
    const resolved = await image(found, chain);
    if (resolved !== undefined && reference.digest !== undefined && reference.digest !== resolved.digest) {
      return refuse({
        message: `\`${found.name}\` is not what this reference pins: its digest is sha256:${resolved.digest}, the pin says sha256:${reference.digest}.`,
        hint: 'The image, an ancestor or a script of it has changed. Look at the change, then pin the new digest.',
      });
    }
    return resolved;
  }

  /** @param missing what is said when nothing is published under the name */
  async function publishedAt(path: Path, name: string, missing: Finding, report: Reporter): Promise<ResolvedImage | undefined> {
    const found = (await published.find(name)) ?? missing;
    if ('image' in found && found.warning === undefined) return found.image;
    report(path, 'image' in found ? (found.warning ?? missing) : found);
    return 'image' in found ? found.image : undefined;
  }

  function image(module: LocatedModule, chain: readonly LocatedModule[] = []): Promise<ResolvedImage | undefined> {
    let resolving = done.get(module.document);
    if (resolving === undefined) done.set(module.document, (resolving = resolve(module, chain)));
    return resolving;
  }

  async function resolve(module: LocatedModule, chain: readonly LocatedModule[]): Promise<ResolvedImage | undefined> {
    const { document, name } = module;
    if (document.kind !== 'Image') return undefined;
    const before = files.problems.length;
    const report = reporter(document.yaml, files.problems);
    const { metadata, spec } = document.content;
    const parent = spec.extends === undefined ? undefined : await refer(module, ['spec', 'extends'], spec.extends, [...chain, module]);
    const orphan = spec.extends !== undefined && parent === undefined;
    // What the parent would have said about a parameter is not known then, so nothing is said about it here.
    const parameters = resolveDeclarations(spec.parameters ?? {}, parent?.parameters ?? {}, document.yaml, orphan ? () => {} : report);
    for (const reserved of Object.keys(spec.parameters ?? {}).filter((one) => nodeLevelNames.has(one))) {
      report(
        ['spec', 'parameters', reserved],
        { message: `\`${reserved}\` is a parameter of every node; an image cannot declare it.` },
        'key',
      );
    }
    const content = {
      name: metadata.name,
      ...(metadata.title === undefined ? {} : { title: metadata.title }),
      ...(metadata.description === undefined ? {} : { description: metadata.description }),
      module: name,
      layers: [
        ...(parent?.layers ?? []),
        {
          module: name,
          packages: spec.packages ?? [],
          scripts: await resolveScripts(files, module, spec.scripts ?? {}, report),
        },
      ],
      parameters,
      resources: { ...parent?.resources, ...resolveResources(spec.resources ?? {}, report) },
      clouds: { ...parent?.clouds, ...resolveClouds(spec.clouds ?? {}) },
      ports: mergePorts(parent?.ports ?? [], spec.ports ?? [], report),
    };
    const failed = files.problems.slice(before).some(({ severity }) => severity === 'error');
    if (failed || orphan) return undefined;
    return { ...content, digest: imageDigest(content) };
  }

  return { image, refer };
}

function noSuchVersion(name: string): Finding {
  return {
    message: `There is no published module \`${name}\`.`,
    hint: '`paceline modules` shows all, `paceline modules NAME` the versions of one.',
  };
}

function resolveResources(written: NonNullable<Spec['resources']>, report: Reporter): Resources {
  const resources: Resources = written.cpus === undefined ? {} : { cpus: written.cpus };
  for (const [key, field, unit] of [
    ['memory', 'memoryMiB', 'MiB'],
    ['disk', 'diskGiB', 'GiB'],
  ] as const) {
    const text = written[key];
    if (text === undefined) continue;
    const size = parseSize(text, unit);
    if (size === undefined)
      report(['spec', 'resources', key], {
        message: `\`${key}\` is not a size that a machine can have: ${text}.`,
        hint: 'For example: 2GiB',
      });
    else resources[field] = size;
  }
  return resources;
}

function resolveClouds(written: NonNullable<Spec['clouds']>): ResolvedImage['clouds'] {
  return Object.fromEntries(
    Object.entries(written).map(([cloud, native]) => {
      if (typeof native === 'string') return [cloud, { image: native }];
      return [cloud, native.login === undefined ? { image: native.image } : { image: native.image, login: native.login }];
    }),
  );
}

function mergePorts(inherited: readonly Port[], written: NonNullable<Spec['ports']>, report: Reporter): Port[] {
  const ports = new Map(inherited.map((port) => [`${port.port}/${port.protocol}`, port]));
  for (const [index, one] of written.entries()) {
    const [number, protocol] = typeof one === 'string' ? one.split('/') : typeof one === 'number' ? [one] : [one.port, one.protocol];
    const port: Port = { port: Number(number), protocol: protocol === 'udp' ? 'udp' : 'tcp' };
    if (port.port < 1 || port.port > 65535) report(['spec', 'ports', index], { message: `There is no port ${port.port}.` });
    ports.set(`${port.port}/${port.protocol}`, port);
  }
  return [...ports.values()];
}
