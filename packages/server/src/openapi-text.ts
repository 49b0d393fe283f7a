import type { Engine } from '@paceline/engine';
import { buildApp } from './app.ts';
import { createAccess } from './auth/access.ts';

/** The OpenAPI document as it is published: of the routes alone, whatever server they are on. */
export async function openApiText(): Promise<string> {
  // Routes only ask their engine when they are called.
  const engine = {} as Engine;
  const app = await buildApp({ engine, access: createAccess(engine, ''), agent: { path: '', sha256: '' }, version: '0.0.0', logger: false });
  const text = JSON.stringify(app.swagger(), null, 2);
  await app.close();
  return `${text}\n`;
}
