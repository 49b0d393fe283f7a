import * as z from 'zod';
import { packageNamePattern } from '../schema/names.ts';
import { boundedRecord, bounds, cloudName, digest, label, parameterName, path, prose, text, title } from './bounds.ts';
import { parameterSpec } from './parameter.ts';

/** The scripts that a recipe can have, in the order in which people read them. */
export const scriptPhases = ['preInstall', 'postInstall', 'deploy', 'report', 'onVmAdd', 'onVmRemove', 'preScale', 'postScale'] as const;
export type ScriptPhase = (typeof scriptPhases)[number];

/** What SlipStream calls the phases, in its user interface and in abort messages. */
export const phaseLabels: Record<ScriptPhase, string> = {
  preInstall: 'Pre-install',
  postInstall: 'Post-install',
  deploy: 'Deployment',
  report: 'Reporting',
  onVmAdd: 'On VM Add',
  onVmRemove: 'On VM Remove',
  preScale: 'Pre-Scale',
  postScale: 'Post-Scale',
};

/** `path` is for messages (relative to the project), `text` is what runs. */
export const script = z.strictObject({
  path,
  text,
  /** Of a script that is written in its module file: the line where it begins there, and its indentation. */
  inline: z.strictObject({ line: z.int().positive(), indent: z.int().min(0) }).optional(),
});
export type Script = z.infer<typeof script>;

/** What one image of an inheritance chain adds: its own packages and scripts. */
export const layer = z.strictObject({
  /** The module's name as people know it: its path in the project, without `/image.yaml`. */
  module: path,
  packages: z.array(z.string().max(bounds.nameLength).regex(packageNamePattern, 'must be the name of a package')).max(bounds.packages),
  scripts: z.partialRecord(z.enum(scriptPhases), script),
});
export type Layer = z.infer<typeof layer>;

export const resources = z.strictObject({
  cpus: z.number().positive().max(100_000).optional(),
  memoryMiB: z
    .int()
    .positive()
    .max(2 ** 31)
    .optional(),
  diskGiB: z
    .int()
    .positive()
    .max(2 ** 31)
    .optional(),
});
export type Resources = z.infer<typeof resources>;

export const port = z.strictObject({
  port: z.int().min(1).max(65535),
  protocol: z.enum(['tcp', 'udp']),
});
export type Port = z.infer<typeof port>;

export const nativeImage = z.strictObject({
  image: title,
  login: z
    .string()
    .max(64)
    .regex(/^[\w.][\w.@+-]*\$?$/, 'must be the name of a user')
    .optional(),
});

/** An image with its whole inheritance chain: everything needed to make a machine of it, and nothing left to look up. */
export const resolvedImage = z.strictObject({
  name: label,
  title: title.optional(),
  description: prose.optional(),
  module: path,
  /** Ancestors first, the image itself last. */
  layers: z.array(layer).min(1).max(bounds.layers),
  parameters: boundedRecord(parameterName, parameterSpec, bounds.parameters),
  resources,
  /** Where a native image already exists, by cloud name. */
  clouds: boundedRecord(cloudName, nativeImage, bounds.clouds),
  ports: z.array(port).max(bounds.ports),
  /** SHA-256 of the resolved content, hexadecimal. */
  digest,
});
export type ResolvedImage = z.infer<typeof resolvedImage>;
