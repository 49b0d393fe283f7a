import type * as z from 'zod';
import type { RequestOptions } from './client-request.ts';
import { moduleContent, moduleList, moduleView, type ModuleContent, type ModuleView, type PublishRequest } from './modules.ts';

/** The published modules of a server. A reference is `NAME`, `NAME@VERSION`, `NAME@CHANNEL` or `NAME@sha256:DIGEST`. */
export interface ModulesClient {
  /** Publishes a version; the same content again is the version that is there. */
  publish(request: PublishRequest): Promise<ModuleView>;
  /** The newest version of each, or all versions of one. */
  list(name?: string): Promise<ModuleView[]>;
  get(reference: string): Promise<ModuleContent>;
  copy(reference: string, name: string): Promise<ModuleView>;
  /** @param reason null takes it back */
  deprecate(reference: string, reason: string | null): Promise<ModuleView>;
  /** Makes a version the one that a channel means from now on. */
  promote(reference: string, channel: string): Promise<ModuleView>;
  /** Ends a channel. */
  demote(name: string, channel: string): Promise<void>;
  remove(reference: string): Promise<void>;
}

interface Ports {
  ask: <T>(path: string, schema: z.ZodType<T>, request?: RequestOptions) => Promise<T>;
  tell: (path: string, request: RequestOptions) => Promise<void>;
}

export function modulesClient({ ask, tell }: Ports): ModulesClient {
  const path = (reference: string, rest = ''): string => `/api/modules/${encodeURIComponent(reference)}${rest}`;
  const channelPath = (channel: string): string => `/channels/${encodeURIComponent(channel)}`;
  return {
    publish: (body) => ask('/api/modules', moduleView, { method: 'POST', body, repeatable: true }),
    list: async (name) => (await ask('/api/modules', moduleList, { query: { name } })).modules,
    get: (reference) => ask(path(reference), moduleContent),
    copy: (reference, name) => ask(path(reference, '/copy'), moduleView, { method: 'POST', body: { name }, repeatable: true }),
    deprecate: (reference, reason) => ask(path(reference, '/deprecation'), moduleView, { method: 'PUT', body: { reason } }),
    promote: (reference, channel) => ask(path(reference, channelPath(channel)), moduleView, { method: 'PUT' }),
    demote: (name, channel) => tell(path(name, channelPath(channel)), { method: 'DELETE' }),
    remove: (reference) => tell(path(reference), { method: 'DELETE' }),
  };
}
