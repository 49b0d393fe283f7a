import * as z from 'zod';
import { budget } from './budget.ts';
import { keepRunningPolicies } from './deployment.ts';
import { resolvedImage } from './image.ts';
import { parameterTypes } from './parameter.ts';

/**
 * One parameter of every instance of a node. `value` is its first value (absent: not set yet), `from` the instance
 * parameter (`apache.1:port`) that it follows.
 */
export const plannedParameter = z.strictObject({
  type: z.enum(parameterTypes),
  value: z.string().optional(),
  from: z.string().optional(),
  secret: z.boolean(),
  output: z.boolean(),
});
export type PlannedParameter = z.infer<typeof plannedParameter>;

/** An image that was built of the first `layers` of another. */
const builtImage = z.strictObject({ image: z.string(), login: z.string().optional(), layers: z.int().min(1), digest: z.string() });
export type PlannedBuiltImage = z.infer<typeof builtImage>;

export const plannedNode = z.strictObject({
  image: resolvedImage,
  multiplicity: z.int().min(0),
  /** Where its machines go: a name, or a choice among several until the run is placed. */
  cloud: z.string(),
  /** What was asked for, once the run is placed: a name, or a choice. */
  choice: z.string().optional(),
  /** The clouds that are tried next, in this order, when one has no room; who is there already is passed over. */
  elsewhere: z.array(z.string()).optional(),
  /** So many machines to each, in turns. */
  shares: z.array(z.strictObject({ cloud: z.string(), count: z.int().min(1) })).optional(),
  /** What a machine costs for an hour on the clouds that it may be on, as far as they have said so when the run was placed. */
  prices: z.record(z.string(), z.strictObject({ amount: z.number(), currency: z.string() })).optional(),
  maxProvisioningFailures: z.int().min(0),
  parameters: z.record(z.string(), plannedParameter),
  /** Machines boot it, and skip what is in it. */
  built: builtImage.optional(),
});
export type PlannedNode = z.infer<typeof plannedNode>;

/** Whose budget it is: the run's own, or that of the server, which all of its runs have. */
const plannedBudget = budget.safeExtend({ of: z.enum(['the run', 'the server']) });
export type PlannedBudget = z.infer<typeof plannedBudget>;

/** Everything about a run that is fixed when it starts: no expression and no default is left to work out. */
export const runPlan = z.strictObject({
  category: z.enum(['Deployment', 'Image']),
  deployment: z.strictObject({
    name: z.string(),
    title: z.string().optional(),
    module: z.string(),
    digest: z.string(),
  }),
  /** Node names in the order of the deployment file. A run of a single image has the one node `machine`. */
  nodes: z.record(z.string(), plannedNode),
  /** The deployment's own parameters: scripts read them as `ss:NAME`, and set those that are outputs. */
  globals: z.record(z.string(), plannedParameter),
  /** The run is there to make an image of its machine, of this recipe, on what its native image was when that was asked for. */
  build: z.strictObject({ digest: z.string(), recipe: z.string().optional(), base: z.string().optional() }).optional(),
  /** Machines may be added and removed while the run is ready; it stays so until it is ended. */
  scalable: z.boolean().optional(),
  keepRunning: z.enum(keepRunningPolicies),
  timeoutMs: z.int().positive(),
  lifetimeMs: z.int().positive(),
  onStall: z.enum(['abort', 'wait']),
  budgets: z.array(plannedBudget).optional(),
});
export type RunPlan = z.infer<typeof runPlan>;
