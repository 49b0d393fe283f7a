import * as z from 'zod';

export const parameterTypes = ['string', 'text', 'integer', 'number', 'boolean', 'enum', 'password'] as const;
export type ParameterType = (typeof parameterTypes)[number];

/** A declared parameter. Values are strings everywhere but in the YAML: the bus carries text. */
export const parameterSpec = z.strictObject({
  type: z.enum(parameterTypes),
  description: z.string().optional(),
  default: z.string().optional(),
  /** The allowed values of an `enum`. */
  values: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  /** A regular expression that the whole value must match. */
  pattern: z.string().optional(),
  /** The run cannot start without a value. */
  required: z.boolean().optional(),
  /** Set by a recipe while the run goes on, not by the user. */
  output: z.boolean().optional(),
  /** Encrypted at rest and masked wherever people look. `password` implies it. */
  secret: z.boolean().optional(),
});
export type ParameterSpec = z.infer<typeof parameterSpec>;
