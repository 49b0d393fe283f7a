import { resolvedDeployment } from '@paceline/model';
import * as z from 'zod';
import { runDetail } from './runs.ts';

/** An image that was built, for machines to boot. */
export const imageView = z.object({
  cloud: z.string(),
  /** Whose machines boot it; `*` for everybody's. */
  project: z.string(),
  /** As the cloud names it. */
  image: z.string(),
  /** Of what is in it. */
  digest: z.string(),
  module: z.string(),
  /** The run that made it. */
  run: z.string(),
  madeAt: z.iso.datetime(),
  usedAt: z.iso.datetime(),
  pinned: z.boolean(),
  /** When its cloud was found not to have it any more: nobody boots it, and the next build makes it anew. */
  lostAt: z.iso.datetime().nullable(),
  /** The channels whose machines boot it: `shop/web@stable`. */
  channels: z.array(z.string()),
  /** The runs that boot it and have not ended, as far as who asks may see them. */
  runs: z.array(z.string()),
  /** By channels or runs, also those that who asks may not see: then it is not deleted. */
  needed: z.boolean(),
  /** Whether who asks may pin, promote and delete it. */
  changeable: z.boolean(),
});
export type ImageView = z.infer<typeof imageView>;
export const imageList = z.object({ images: z.array(imageView) });

/** `POST /api/images`: build an image, unless it is there. */
export const buildRequest = z.strictObject({
  /** Of one image. */
  deployment: resolvedDeployment,
  cloud: z.string().max(200).optional(),
  /** Whose machines are to boot it, `*` for everybody's. By default everybody's, or those of the one project that the asker operates. */
  project: z.string().min(1).max(200).optional(),
});
export type BuildRequest = z.input<typeof buildRequest>;

/** The image when it is there; otherwise the run that builds it. */
export const buildAnswer = z.object({
  image: imageView.nullable(),
  run: runDetail.nullable(),
  /** It was under way already, at somebody else's request. */
  joined: z.boolean(),
});
export type BuildAnswer = z.infer<typeof buildAnswer>;

export const pinRequest = z.strictObject({ pinned: z.boolean() });
