import { createHash } from 'node:crypto';
import type { ResolvedDeployment, ResolvedNode } from './resolved/deployment.ts';
import type { ResolvedImage } from './resolved/image.ts';
import type { ParameterSpec } from './resolved/parameter.ts';

/** JSON with the keys of every map in one order, so that equal content has equal text. `undefined` counts as absent. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

/** SHA-256 of {@link canonicalJson}, 64 hexadecimal digits. */
export function contentDigest(content: unknown): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

/**
 * The digest of an image: everything that decides what its machines do, and nothing else. Where the files lie, what
 * they are called and what is written about them for people does not count.
 */
export function imageDigest(image: Omit<ResolvedImage, 'digest'>): string {
  return contentDigest({
    kind: 'Image',
    layers: image.layers.map(({ packages, scripts }) => ({
      packages,
      scripts: Object.fromEntries(Object.entries(scripts).map(([phase, script]) => [phase, script?.text])),
    })),
    parameters: withoutProse(image.parameters),
    resources: image.resources,
    clouds: image.clouds,
    ports: image.ports,
  });
}

/**
 * The digest of what is in an image that is built of the first layers of another: what it stands on, and what they install. Values of
 * parameters do not count: what is installed must not depend on them.
 * @param native the image of the cloud that the first layer stands on
 */
export function buildDigest(image: Pick<ResolvedImage, 'layers'>, layers: number, native: string): string {
  const installed = image.layers.slice(0, layers).map(({ packages, scripts }) => ({
    packages,
    preInstall: scripts.preInstall?.text,
    postInstall: scripts.postInstall?.text,
  }));
  return contentDigest({ kind: 'Build', native, installed });
}

/** The deployment with the digests that its content has, whatever its maker wrote into it. */
export function withDigests(deployment: ResolvedDeployment): ResolvedDeployment {
  const nodes = Object.fromEntries(
    Object.entries(deployment.nodes).map(([name, node]) => [name, { ...node, image: { ...node.image, digest: imageDigest(node.image) } }]),
  );
  return { ...deployment, nodes, digest: deploymentDigest({ ...deployment, nodes }) };
}

/** The digest of a deployment: its nodes with the digests of their images, and its settings. */
export function deploymentDigest(deployment: Omit<ResolvedDeployment, 'digest'>): string {
  const { kind, parameters, nodes, scalable, keepRunning, timeoutMs, lifetimeMs, onStall, budget } = deployment;
  const node = ({ image, ...rest }: ResolvedNode): unknown => ({ ...rest, image: image.digest });
  return contentDigest({
    kind,
    parameters: withoutProse(parameters),
    nodes: Object.fromEntries(Object.entries(nodes).map(([name, value]) => [name, node(value)])),
    // A deployment that says nothing of it has the digest that it had before there was such a thing.
    scalable: scalable === true ? true : undefined,
    keepRunning,
    timeoutMs,
    lifetimeMs,
    onStall,
    budget,
  });
}

function withoutProse(parameters: Record<string, ParameterSpec>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parameters).map(([name, { description: _, ...spec }]) => [name, spec]));
}
