import * as z from 'zod';
import { resolvedImage } from './image.ts';
import { parameterSpec } from './parameter.ts';

export const keepRunningPolicies = ['always', 'on-success', 'on-error', 'never'] as const;
export type KeepRunning = (typeof keepRunningPolicies)[number];

/** A value, an expression over the deployment's parameters, or a mapping from another node's parameter. */
export const nodeParameter = z.union([
  z.strictObject({ value: z.string() }),
  z.strictObject({ expression: z.string() }),
  z.strictObject({ from: z.string() }),
]);
export type NodeParameter = z.infer<typeof nodeParameter>;

export const resolvedNode = z.strictObject({
  image: resolvedImage,
  /** A number, or an expression over the deployment's parameters (without the `${{ }}`). */
  multiplicity: z.union([z.int().min(0), z.string()]),
  /** A cloud's name, or `any`. */
  cloud: z.string(),
  maxProvisioningFailures: z.int().min(0),
  /** Inputs of the image, by name. */
  parameters: z.record(z.string(), nodeParameter),
});
export type ResolvedNode = z.infer<typeof resolvedNode>;

/** A deployment with nothing left to look up: what a client sends to a server. */
export const resolvedDeployment = z.strictObject({
  kind: z.enum(['Deployment', 'Image']),
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  tags: z.array(z.string()),
  module: z.string(),
  parameters: z.record(z.string(), parameterSpec),
  nodes: z.record(z.string(), resolvedNode),
  keepRunning: z.enum(keepRunningPolicies),
  /** Longest time in one transition state, in milliseconds. */
  timeoutMs: z.int().positive(),
  /** Hard end of every machine of the run after its start, in milliseconds. */
  lifetimeMs: z.int().positive(),
  onStall: z.enum(['abort', 'wait']),
  digest: z.string(),
});
export type ResolvedDeployment = z.infer<typeof resolvedDeployment>;
