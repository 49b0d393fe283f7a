import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { Engine } from '@paceline/engine';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Access } from '../auth/access.ts';

export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, ZodTypeProvider>;

/** What every group of routes is given. */
export interface RouteContext {
  engine: Engine;
  access: Access;
  /** The agent bundle: its path and its SHA-256. */
  agent: { path: string; sha256: string };
  version: string;
}
