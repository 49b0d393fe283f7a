import { deploymentDigest } from '../digest.ts';
import { checkExpression, expressionOf } from '../parameters/expression.ts';
import { machineNode } from '../parameters/key.ts';
import { globalNames } from '../parameters/system.ts';
import { formatDuration, parseDuration } from '../quantity/duration.ts';
import type { ResolvedDeployment, ResolvedNode } from '../resolved/deployment.ts';
import type { ResolvedImage } from '../resolved/image.ts';
import type { DeploymentFile } from '../schema/deployment.ts';
import type { ModuleDocument } from '../source/module-document.ts';
import type { Path } from '../source/yaml-document.ts';
import { resolveDeclarations } from './declarations.ts';
import type { LocatedModule, ModuleFiles } from './module-files.ts';
import { nodeInputs } from './node-inputs.ts';
import { reporter, type Reporter } from './reporter.ts';
import type { ImageResolver } from './resolve-image.ts';

/** What a deployment gets when its file does not say otherwise; SlipStream's values where it had them. */
export const deploymentDefaults = {
  keepRunning: 'on-success',
  timeoutMs: 30 * 60_000,
  lifetimeMs: 4 * 3_600_000,
  onStall: 'abort',
} as const satisfies Partial<ResolvedDeployment>;

type DeploymentDocument = ModuleDocument & { kind: 'Deployment' };

/** Resolves a deployment with all its images. Undefined: there are problems, which are reported. */
export async function resolveDeployment(
  module: LocatedModule,
  document: DeploymentDocument,
  files: ModuleFiles,
  images: ImageResolver,
): Promise<ResolvedDeployment | undefined> {
  const { yaml, content: file } = document;
  const { spec, metadata } = file;
  const report = reporter(yaml, files.problems);
  const before = files.problems.length;

  const parameters = resolveDeclarations(spec.parameters ?? {}, {}, yaml, report);
  for (const name of Object.keys(parameters).filter((one) => globalNames.has(one))) {
    report(
      ['spec', 'parameters', name],
      { message: `\`${name}\` is a parameter of every run (\`ss:${name}\`); a deployment cannot declare it.` },
      'key',
    );
  }
  const nodeImages = new Map<string, ResolvedImage>();
  for (const [name, node] of Object.entries(spec.nodes)) {
    const image = await images.refer(module, ['spec', 'nodes', name, 'image'], node.image);
    if (image !== undefined) nodeImages.set(name, image);
  }
  const inputs = nodeInputs({ file, yaml, images: nodeImages, parameters, report });
  const nodes: Record<string, ResolvedNode> = {};
  for (const [name, node] of Object.entries(spec.nodes)) {
    const image = nodeImages.get(name);
    const multiplicity = resolveMultiplicity(node.multiplicity, ['spec', 'nodes', name, 'multiplicity'], Object.keys(parameters), report);
    if (typeof multiplicity === 'number') checkFailures(name, node, multiplicity, report);
    if (image === undefined) continue;
    nodes[name] = {
      image,
      multiplicity,
      cloud: node.cloud ?? 'any',
      maxProvisioningFailures: node.maxProvisioningFailures ?? 0,
      parameters: inputs.get(name) ?? {},
    };
  }
  const content = {
    kind: 'Deployment' as const,
    ...describe(metadata),
    module: module.name,
    parameters,
    nodes,
    ...(spec.scalable === true ? { scalable: true } : {}),
    keepRunning: spec.keepRunning ?? deploymentDefaults.keepRunning,
    timeoutMs: resolveDuration(spec.timeout, 'timeout', report) ?? deploymentDefaults.timeoutMs,
    lifetimeMs: resolveDuration(spec.lifetime, 'lifetime', report) ?? deploymentDefaults.lifetimeMs,
    onStall: spec.onStall ?? deploymentDefaults.onStall,
    ...(spec.budget === undefined ? {} : { budget: spec.budget }),
  };
  if (content.lifetimeMs < content.timeoutMs && spec.lifetime !== undefined) {
    report(['spec', 'lifetime'], {
      severity: 'warning',
      message: `The machines end after ${formatDuration(content.lifetimeMs)}, before the timeout of ${formatDuration(content.timeoutMs)} can be reached.`,
    });
  }
  const failed = files.problems.slice(before).some(({ severity }) => severity === 'error');
  if (failed || nodeImages.size < Object.keys(spec.nodes).length) return undefined;
  return { ...content, digest: deploymentDigest(content) };
}

/** The run of one image by itself: a single node `machine`. */
export function imageDeployment(image: ResolvedImage, tags: readonly string[]): ResolvedDeployment {
  const content = {
    kind: 'Image' as const,
    ...describe({ ...image, tags }),
    module: image.module,
    parameters: {},
    nodes: { [machineNode]: { image, multiplicity: 1, cloud: 'any', maxProvisioningFailures: 0, parameters: {} } },
    ...deploymentDefaults,
  };
  return { ...content, digest: deploymentDigest(content) };
}

interface Prose {
  name: string;
  title?: string | undefined;
  description?: string | undefined;
  tags?: readonly string[] | undefined;
}

function describe({ name, title, description, tags }: Prose): Pick<ResolvedDeployment, 'name' | 'title' | 'description' | 'tags'> {
  return {
    name,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    tags: [...(tags ?? [])],
  };
}

function resolveMultiplicity(
  written: number | string | undefined,
  path: Path,
  declared: readonly string[],
  report: Reporter,
): number | string {
  if (typeof written !== 'string') return written ?? 1;
  const found = expressionOf(written.trim());
  if (found === undefined || 'problem' in found) {
    report(path, {
      message: 'The multiplicity is neither a number nor an expression.',
      hint: 'For example: ${{ parameters.clients }}',
    });
    return 1;
  }
  for (const { message, hint } of checkExpression(found.expression, declared)) report(path, { message, hint });
  return found.expression;
}

type FileNode = DeploymentFile['spec']['nodes'][string];

function checkFailures(name: string, node: FileNode, multiplicity: number, report: Reporter): void {
  const tolerated = node.maxProvisioningFailures ?? 0;
  if (tolerated > 0 && tolerated >= multiplicity) {
    report(['spec', 'nodes', name, 'maxProvisioningFailures'], {
      message: `\`maxProvisioningFailures\` must be less than the multiplicity of ${multiplicity}, not ${tolerated}.`,
    });
  }
}

function resolveDuration(text: string | undefined, key: string, report: Reporter): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === undefined)
    report(['spec', key], {
      message: `\`${key}\` is not a duration between nothing and ten years: ${text}.`,
      hint: 'For example: 30m',
    });
  return ms;
}
