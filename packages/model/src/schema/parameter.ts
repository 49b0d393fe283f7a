import * as z from 'zod';
import { parameterTypes } from '../resolved/parameter.ts';
import { parameterNamePattern } from './names.ts';

export const parameterName = z.string().regex(parameterNamePattern, 'a parameter name');

export const scalar = z.union([z.string(), z.number(), z.boolean()]);
export type Scalar = z.infer<typeof scalar>;

export const parameterDetails = z.strictObject({
  type: z
    .enum(parameterTypes)
    .optional()
    .describe('Kind of value. Without it: `enum` when there are `values`, else the kind of the default, else `string`.'),
  description: z.string().optional().describe('What the value means, with its unit.'),
  default: scalar.optional().describe('The first value, when nobody gives another.'),
  values: z.array(scalar).min(1).optional().describe('The allowed values of an `enum`.'),
  minimum: z.number().optional().describe('Smallest allowed number.'),
  maximum: z.number().optional().describe('Largest allowed number.'),
  pattern: z.string().max(500).optional().describe('Regular expression that the whole value must match.'),
  required: z.boolean().optional().describe('A run cannot start without a value.'),
  output: z.boolean().optional().describe('Set by a script while the run goes on (`ss-set`), not by the user.'),
  secret: z.boolean().optional().describe('Encrypted at rest and masked in logs. `type: password` implies it.'),
});
export type ParameterDetails = z.infer<typeof parameterDetails>;

export const parameterDeclarations = z
  .record(
    parameterName,
    z
      .union([scalar, z.null(), parameterDetails])
      .describe('Details, or only the default value (`port: 8080`), or nothing (a text without a default).'),
  )
  .describe('Named values that scripts read with `ss-get NAME` and set with `ss-set NAME VALUE`.');
export type ParameterDeclarations = z.infer<typeof parameterDeclarations>;
