import * as z from 'zod';
import { parameterSpec } from './parameter.ts';

/** The scripts that a recipe can have, in the order in which people read them. */
export const scriptPhases = [
  'preInstall',
  'postInstall',
  'deploy',
  'report',
  'onVmAdd',
  'onVmRemove',
  'preScale',
  'postScale',
] as const;
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
  path: z.string(),
  text: z.string(),
  /** Of a script that is written in its module file: the line where it begins there, and its indentation. */
  inline: z.strictObject({ line: z.int().positive(), indent: z.int().min(0) }).optional(),
});
export type Script = z.infer<typeof script>;

/** What one image of an inheritance chain adds: its own packages and scripts. */
export const layer = z.strictObject({
  /** The module's name as people know it: its path in the project, without `/image.yaml`. */
  module: z.string(),
  packages: z.array(z.string()),
  scripts: z.partialRecord(z.enum(scriptPhases), script),
});
export type Layer = z.infer<typeof layer>;

export const resources = z.strictObject({
  cpus: z.number().positive().optional(),
  memoryMiB: z.int().positive().optional(),
  diskGiB: z.int().positive().optional(),
});
export type Resources = z.infer<typeof resources>;

export const port = z.strictObject({
  port: z.int().min(1).max(65535),
  protocol: z.enum(['tcp', 'udp']),
});
export type Port = z.infer<typeof port>;

/** An image with its whole inheritance chain: everything needed to make a machine of it, and nothing left to look up. */
export const resolvedImage = z.strictObject({
  name: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  module: z.string(),
  /** Ancestors first, the image itself last. */
  layers: z.array(layer).min(1),
  parameters: z.record(z.string(), parameterSpec),
  resources,
  /** Where a native image already exists, by cloud name. */
  clouds: z.record(z.string(), z.strictObject({ image: z.string(), login: z.string().optional() })),
  ports: z.array(port),
  /** SHA-256 of the resolved content, hexadecimal. */
  digest: z.string(),
});
export type ResolvedImage = z.infer<typeof resolvedImage>;
