import * as z from 'zod';
import { durationPattern } from '../quantity/duration.ts';
import { budget } from '../resolved/budget.ts';
import { keepRunningPolicies } from '../resolved/deployment.ts';
import { cloudChoicePattern } from '../plan/cloud-choice.ts';
import { envelope } from './metadata.ts';
import { expressionPattern, nodeNamePattern } from './names.ts';
import { parameterDeclarations, parameterName, scalar } from './parameter.ts';

const duration = z
  .string()
  .regex(durationPattern, 'a duration')
  .meta({ examples: ['30m', '4h', '1h30m'] });

const nodeInput = z.union([
  scalar,
  z.strictObject({ value: scalar.describe('The value; text may hold `${{ parameters.NAME }}`.') }),
  z.strictObject({
    from: z
      .string()
      .min(1)
      .meta({ description: "Follow another node's parameter: `node:parameter`.", examples: ['apache:hostname'] }),
  }),
]);

const node = z.strictObject({
  image: z
    .string()
    .min(1)
    .meta({
      description: 'The image of its machines: a relative path, or a published module, `NAME` or `NAME@VERSION`.',
      examples: ['./apache/image.yaml', 'shop/web@3'],
    }),
  multiplicity: z
    .union([
      z.int().min(0).max(10_000),
      z
        .string()
        .regex(expressionPattern, 'a number or an expression')
        .meta({ examples: ['${{ parameters.clients }}'] }),
    ])
    .optional()
    .describe('How many machines: a number, or an expression over the parameters of the deployment. 1 when left out.'),
  cloud: z
    .string()
    .regex(cloudChoicePattern, 'the name of a cloud, several with commas, `any:price`, or shares such as `lab*3+aws`')
    .optional()
    .meta({ examples: ['aws-paris', 'lab,aws-paris', 'any:price', 'any:spread', 'lab*3+aws-paris'] })
    .describe(
      'Where its machines run: a cloud; several, of which the first with room is taken, the cheapest with `:price`, or as evenly as can be with `:spread`; or shares of several. `any` (the default) is all that the server has, in its order.',
    ),
  maxProvisioningFailures: z
    .int()
    .min(0)
    .optional()
    .describe('How many of its machines may fail to start without ending the run. 0 when left out.'),
  parameters: z
    .record(parameterName, nodeInput)
    .optional()
    .describe('Values for the image\'s parameters: a value, or `{ from: "node:parameter" }`.'),
});

export const deploymentSpec = z
  .strictObject({
    parameters: parameterDeclarations.optional(),
    nodes: z
      .record(z.string().regex(nodeNamePattern, 'a node name'), node)
      .refine((nodes) => Object.keys(nodes).length > 0, 'needs at least one node')
      .describe('The roles of the deployment, by name.'),
    scalable: z
      .boolean()
      .optional()
      .describe('Machines may be added and removed while it runs; it stays ready until it is ended, whatever `keepRunning` says.'),
    keepRunning: z
      .enum(keepRunningPolicies)
      .optional()
      .describe('When the machines stay after the run is ready: `on-success` when left out.'),
    timeout: duration.optional().describe('Longest time in one transition state: `30m` when left out.'),
    lifetime: duration.optional().describe('Hard end of every machine of the run after its start: `4h` when left out.'),
    onStall: z
      .enum(['abort', 'wait'])
      .optional()
      .describe('What to do when every machine waits for another: `abort` when left out; `wait` when an outsider may set the value.'),
    budget: budget.optional(),
  })
  .describe('Machines that work together.');

/** A file of kind `Deployment`. */
export const deploymentFile = envelope('Deployment', deploymentSpec);
export type DeploymentFile = z.infer<typeof deploymentFile>;
