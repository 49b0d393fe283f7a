import type { TypedValue } from '../parameters/expression.ts';
import type { PlannedParameter } from '../resolved/run-plan.ts';

/** The deployment's parameters as expressions see them. */
export function typedValues(globals: Readonly<Record<string, PlannedParameter>>): Record<string, TypedValue> {
  return Object.fromEntries(
    Object.entries(globals).flatMap(([name, { type, value }]) => {
      if (value !== undefined) return [[name, { type, value }]];
      // Text that is not set is empty; a number that is not set has no value that an expression could use.
      return ['integer', 'number', 'boolean'].includes(type) ? [] : [[name, { type, value: '' }]];
    }),
  );
}
