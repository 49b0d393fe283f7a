import * as z from 'zod';
import { Pattern } from '../pattern/pattern.ts';
import { toError } from '../errors/paceline-error.ts';
import { bounds, prose, text } from './bounds.ts';

export const parameterTypes = ['string', 'text', 'integer', 'number', 'boolean', 'enum', 'password'] as const;
export type ParameterType = (typeof parameterTypes)[number];

const pattern = z.string().superRefine((source, context) => {
  try {
    void new Pattern(source);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `must be a regular expression that is quick to apply: ${toError(error).message}` });
  }
});

/** A declared parameter. Values are strings everywhere but in the YAML: the bus carries text. */
export const parameterSpec = z.strictObject({
  type: z.enum(parameterTypes),
  description: prose.optional(),
  default: text.optional(),
  /** The allowed values of an `enum`. */
  values: z.array(text).max(bounds.enumValues).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  /** A regular expression that the whole value must match. */
  pattern: pattern.optional(),
  /** The run cannot start without a value. */
  required: z.boolean().optional(),
  /** Set by a recipe while the run goes on, not by the user. */
  output: z.boolean().optional(),
  /** Encrypted at rest and masked wherever people look. `password` implies it. */
  secret: z.boolean().optional(),
});
export type ParameterSpec = z.infer<typeof parameterSpec>;
