import * as z from 'zod';
import { cloudChoicePattern } from '../plan/cloud-choice.ts';
import { machineNode } from '../parameters/key.ts';
import { resolvedImage } from './image.ts';
import { budget } from './budget.ts';
import { Pattern } from '../pattern/pattern.ts';
import { boundedRecord, bounds, digest, duration, expression, label, nodeName, parameterName, path, prose, text, title } from './bounds.ts';
import { parameterSpec, type ParameterSpec } from './parameter.ts';

export const keepRunningPolicies = ['always', 'on-success', 'on-error', 'never'] as const;
export type KeepRunning = (typeof keepRunningPolicies)[number];

/** A value, an expression over the deployment's parameters, or a mapping from another node's parameter. */
export const nodeParameter = z.union(
  [
    z.strictObject({ value: text }),
    z.strictObject({ expression }),
    z.strictObject({
      from: z
        .string()
        .max(2 * bounds.nameLength)
        .regex(/^\w+(\.\d+)?:\w[\w.-]*$/, 'must be `node:parameter`'),
    }),
  ],
  { error: `must be a value of at most ${bounds.textLength} characters, an expression, or \`node:parameter\` to follow` },
);
export type NodeParameter = z.infer<typeof nodeParameter>;

export const resolvedNode = z.strictObject({
  image: resolvedImage,
  /** A number, or an expression over the deployment's parameters (without the `${{ }}`). */
  multiplicity: z.union([z.int().min(0).max(bounds.instances), expression], {
    error: `must be a number from 0 to ${bounds.instances}, or an expression`,
  }),
  /** A cloud's name, `any`, or a choice among several. */
  cloud: z.string().max(bounds.expressionLength).regex(cloudChoicePattern, 'must be a choice of clouds'),
  maxProvisioningFailures: z.int().min(0).max(bounds.instances),
  /** Inputs of the image, by name. */
  parameters: boundedRecord(parameterName, nodeParameter, bounds.parameters),
});
export type ResolvedNode = z.infer<typeof resolvedNode>;

/** A deployment with nothing left to look up: what a client sends to a server. */
export const resolvedDeployment = z
  .strictObject({
    kind: z.enum(['Deployment', 'Image']),
    name: label,
    title: title.optional(),
    description: prose.optional(),
    tags: z.array(title).max(bounds.tags),
    module: path,
    parameters: boundedRecord(parameterName, parameterSpec, bounds.parameters),
    nodes: boundedRecord(nodeName, resolvedNode, bounds.nodes),
    /** Machines may be added and removed while a run of it is ready. */
    scalable: z.boolean().optional(),
    keepRunning: z.enum(keepRunningPolicies),
    /** Longest time in one transition state, in milliseconds. */
    timeoutMs: duration,
    /** Hard end of every machine of the run after its start, in milliseconds. */
    lifetimeMs: duration,
    onStall: z.enum(['abort', 'wait']),
    budget: budget.optional(),
    digest,
  })
  .superRefine(({ kind, nodes, parameters }, context) => {
    const names = Object.keys(nodes);
    const single = names.length === 1 && names[0] === machineNode;
    if (kind === 'Image' ? !single : names.includes(machineNode) || names.length === 0) {
      const message =
        kind === 'Image' ? `must have the one node \`${machineNode}\`` : `must have nodes, none of them called \`${machineNode}\``;
      context.addIssue({ code: 'custom', path: ['nodes'], message });
    }
    const specs = [parameters, ...Object.values(nodes).map(({ image }) => image.parameters)];
    if (sum(specs.map(patternSize)) > bounds.patternSize)
      context.addIssue({ code: 'custom', message: 'has patterns that are too large together' });
  });
export type ResolvedDeployment = z.infer<typeof resolvedDeployment>;

function patternSize(specs: Readonly<Record<string, ParameterSpec>>): number {
  return sum(Object.values(specs).map(({ pattern }) => (pattern === undefined ? 0 : Pattern.sizeOf(pattern))));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
