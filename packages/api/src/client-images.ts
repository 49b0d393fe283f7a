import type * as z from 'zod';
import { cloudsMs, type RequestOptions } from './client-request.ts';
import { buildAnswer, imageList, imageView, type BuildAnswer, type BuildRequest, type ImageView } from './images.ts';
import { moduleView, type ModuleView } from './modules.ts';

/** The images that a server has built. One is named by its name, or by the beginning of its digest. */
export interface ImagesClient {
  build(request: BuildRequest): Promise<BuildAnswer>;
  list(): Promise<ImageView[]>;
  pin(image: string, pinned: boolean): Promise<ImageView>;
  /** Makes the published version that it was built of the one that a channel means. */
  promote(image: string, channel: string): Promise<ModuleView>;
  remove(image: string): Promise<void>;
}

interface Ports {
  ask: <T>(path: string, schema: z.ZodType<T>, request?: RequestOptions) => Promise<T>;
  tell: (path: string, request: RequestOptions) => Promise<void>;
}

export function imagesClient({ ask, tell }: Ports): ImagesClient {
  const path = (image: string): string => `/api/images/${encodeURIComponent(image)}`;
  return {
    build: (body) => ask('/api/images', buildAnswer, { method: 'POST', timeoutMs: cloudsMs, body }),
    list: async () => (await ask('/api/images', imageList)).images,
    pin: (image, pinned) => ask(path(image), imageView, { method: 'PUT', body: { pinned } }),
    promote: (image, channel) => ask(`${path(image)}/channels/${encodeURIComponent(channel)}`, moduleView, { method: 'PUT' }),
    remove: (image) => tell(path(image), { method: 'DELETE', timeoutMs: cloudsMs }),
  };
}
