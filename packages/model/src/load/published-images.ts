import { withDigests } from '../digest.ts';
import { isPacelineError, PacelineError } from '../errors/paceline-error.ts';
import { machineNode } from '../parameters/key.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import type { Layer, ResolvedImage } from '../resolved/image.ts';
import type { Finding } from '../source/diagnostic.ts';

/** Where published modules are asked for: the registry of a server. */
export interface PublishedModules {
  /**
   * @param reference `NAME`, the newest; `NAME@VERSION`; `NAME@CHANNEL`; or `NAME@sha256:DIGEST`
   * @throws PACELINE_NOT_FOUND when there is no such version; otherwise whatever keeps the registry from answering
   */
  get(reference: string): Promise<PublishedContent>;
}

export interface PublishedContent {
  module: { name: string; version: number; deprecated: string | null };
  deployment: ResolvedDeployment;
}

export interface PublishedImage {
  image: ResolvedImage;
  /** That it should not be used any more. */
  warning: Finding | undefined;
}

/** The images that are published, each asked for once: in one load a floating reference always means the same version. */
export class PublishedImages {
  readonly #modules: PublishedModules | undefined;
  readonly #asked = new Map<string, Promise<PublishedContent | undefined>>();

  constructor(modules: PublishedModules | undefined) {
    this.#modules = modules;
  }

  /**
   * @returns undefined when nothing is published so; a finding for the place that refers to it when it cannot be used
   * @throws what keeps the registry from answering, with what it was asked for
   */
  async find(reference: string): Promise<PublishedImage | Finding | undefined> {
    if (this.#modules === undefined)
      return reference.includes('@') ? { message: `\`${reference}\` is a published module, and no registry is asked here.` } : undefined;
    let asked = this.#asked.get(reference);
    if (asked === undefined) this.#asked.set(reference, (asked = ask(this.#modules, reference)));
    const content = await asked;
    if (content === undefined) return undefined;
    const { name, version, deprecated } = content.module;
    const exact = `${name}@${version}`;
    // What a registry says of its content is checked against the content.
    const { kind, nodes } = withDigests(content.deployment);
    const image = nodes[machineNode]?.image;
    if (kind !== 'Image' || image === undefined)
      return { message: `\`${exact}\` is a Deployment, not an Image.`, hint: 'Nodes are made of images, and images extend images.' };
    const [, pin = image.digest] = /@sha256:([0-9a-f]{64})$/.exec(reference) ?? [];
    if (pin !== image.digest)
      return { message: `What is published as \`${exact}\` has the digest sha256:${image.digest}, not the pinned one.` };
    const hint = `\`paceline modules ${name}\` shows its versions.`;
    const warning: Finding | undefined =
      deprecated === null ? undefined : { severity: 'warning', message: `\`${exact}\` is deprecated: ${deprecated}`, hint };
    return { image: named(image, exact), warning };
  }
}

async function ask(modules: PublishedModules, reference: string): Promise<PublishedContent | undefined> {
  try {
    return await modules.get(reference);
  } catch (error) {
    if (!isPacelineError(error)) throw error;
    if (error.code === 'PACELINE_NOT_FOUND') return undefined;
    throw new PacelineError(error.code, `The published module ${reference} cannot be looked up: ${error.message}`, {
      cause: error,
      data: error.data,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** What it consists of is called by the version that it is from, as there may be files of the same names. */
function named(image: ResolvedImage, exact: string): ResolvedImage {
  const from = (path: string): string => (/@\d+(\/|$)/.test(path) ? path : `${exact}/${path}`);
  const layers = image.layers.map((layer, index): Layer => {
    const scripts = Object.entries(layer.scripts).map(([phase, script]) => [phase, { ...script, path: from(script.path) }] as const);
    return { ...layer, module: index === image.layers.length - 1 ? exact : from(layer.module), scripts: Object.fromEntries(scripts) };
  });
  return { ...image, module: exact, layers };
}
