import { resolvedDeployment } from '@paceline/model';
import * as z from 'zod';

const line = z
  .string()
  .max(200)
  .regex(/^\P{Cc}*$/u, 'must be one line without control characters');

/** `POST /api/modules`: a new version of a module, whole. */
export const publishRequest = z.strictObject({
  /** `shop/web`; by default the module's own name. */
  name: line.min(1).optional(),
  deployment: resolvedDeployment,
  /** What is new in this version. */
  comment: z.string().max(1024).default(''),
  /** Of the files, in their version control. */
  commit: line.default(''),
});
export type PublishRequest = z.input<typeof publishRequest>;

export const moduleView = z.object({
  name: z.string(),
  version: z.int(),
  digest: z.string(),
  kind: z.enum(['Deployment', 'Image']),
  title: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  author: z.string(),
  comment: z.string(),
  commit: z.string(),
  publishedAt: z.iso.datetime(),
  /** Why it should not be used any more. */
  deprecated: z.string().nullable(),
  /** Those that mean it: `stable` for `shop/web@stable`. */
  channels: z.array(z.string()),
});
export type ModuleView = z.infer<typeof moduleView>;
export const moduleList = z.object({ modules: z.array(moduleView) });
/** What a version is, ready to be run. */
export const moduleContent = z.object({ module: moduleView, deployment: resolvedDeployment });
export type ModuleContent = z.infer<typeof moduleContent>;

export const copyRequest = z.strictObject({ name: line.min(1) });
export const deprecationRequest = z.strictObject({ reason: z.string().min(1).max(1024).nullable() });
