import * as z from 'zod';
import type { Path } from './yaml-document.ts';

/** The schemas that may describe the value at a path: several where there is a union. */
export function schemasAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType[] {
  const here = unwrap(schema);
  const [key, ...rest] = path;
  if (key === undefined) return here;
  return here.flatMap((one) => {
    if (one instanceof z.ZodObject) {
      const shape = one.shape as Record<string, z.core.$ZodType>;
      const field = Object.hasOwn(shape, key) ? shape[String(key)] : undefined;
      return field === undefined ? [] : schemasAt(field, rest);
    }
    if (one instanceof z.ZodRecord) return schemasAt(one.valueType, rest);
    if (one instanceof z.ZodArray) return schemasAt(one.element, rest);
    return [];
  });
}

/** The keys that a map at a path may have; empty where any name goes. */
export function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  return schemasAt(schema, path).flatMap((one) => (one instanceof z.ZodObject ? Object.keys(one.shape) : []));
}

/** The first example in the description of the value at a path. */
export function exampleAt(schema: z.core.$ZodType, path: Path): string | undefined {
  for (const one of schemasAt(schema, path)) {
    const examples: unknown = z.globalRegistry.get(one)?.examples;
    if (Array.isArray(examples) && examples.length > 0) return String(examples[0]);
  }
  return undefined;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(unwrap);
  return [schema];
}
