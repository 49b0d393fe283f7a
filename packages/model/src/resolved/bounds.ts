import * as z from 'zod';
import { labelPattern, nodeNamePattern, parameterNamePattern } from '../schema/names.ts';

/**
 * What a resolved module may be at most. A server takes them from strangers: everything is far from what people need, and near
 * enough to keep one request from filling a server.
 */
export const bounds = {
  nodes: 256,
  layers: 64,
  parameters: 512,
  packages: 2000,
  clouds: 256,
  ports: 1024,
  tags: 100,
  enumValues: 1000,
  /** The longest value and the longest script, in characters. */
  textLength: 1024 * 1024,
  proseLength: 64 * 1024,
  nameLength: 200,
  pathLength: 1024,
  expressionLength: 2000,
  /** Ten years, in milliseconds. */
  durationMs: 10 * 366 * 24 * 3_600_000,
  /** Of all nodes together. */
  instances: 10_000,
  /** Steps that all patterns of a deployment together may take for each character. */
  patternSize: 20_000,
} as const;

/** One line for people. */
const line = (length: number) =>
  z
    .string()
    .max(length)
    .regex(/^\P{Cc}*$/u, 'must be one line without control characters');

export const label = z.string().max(bounds.nameLength).regex(labelPattern, 'must have letters, digits, `_`, `.` and `-` only');
export const title = line(bounds.nameLength);
export const prose = z.string().max(bounds.proseLength);
/** Of a module or a script, relative to its project. */
export const path = line(bounds.pathLength);
export const text = z.string().max(bounds.textLength);
export const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal');
export const duration = z.int().positive().max(bounds.durationMs);
export const expression = z.string().max(bounds.expressionLength);
export const cloudName = z.string().regex(labelPattern, 'must be the name of a cloud');
export const nodeName = z
  .string()
  .max(bounds.nameLength)
  .refine((name) => name === 'machine' || nodeNamePattern.test(name), 'must be the name of a node: letters, digits and `_`');
export const parameterName = z
  .string()
  .max(bounds.nameLength)
  .regex(parameterNamePattern, 'must be the name of a parameter: letters, digits, `_`, `.` and `-`');

/** A record with so many entries at most. */
export function boundedRecord<K extends z.ZodType<string>, V extends z.ZodType>(key: K, value: V, most: number) {
  const named = z.record(key, value, { error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) });
  return named.refine((record) => Object.keys(record).length <= most, `must have at most ${most} entries`);
}
