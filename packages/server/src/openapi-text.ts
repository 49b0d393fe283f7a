import type { Engine } from '@paceline/engine';
import type { AgentBundles } from './agent-bundles.ts';
import { buildApp } from './app.ts';
import { createAccess } from './auth/access.ts';
import type { Accounts } from './auth/accounts.ts';
import type { AuditLog } from './auth/audit-log.ts';
import type { BrowserSessions } from './auth/browser-sessions.ts';

/** The OpenAPI document as it is published: of the routes alone, whatever server they are on. */
export async function openApiText(): Promise<string> {
  // Routes only ask their engine when they are called.
  const engine = {} as Engine;
  const [accounts, browsers] = [{} as Accounts, {} as BrowserSessions];
  const app = await buildApp({
    engine,
    serverKey: Buffer.alloc(0),
    access: createAccess(engine, { operatorToken: '', accounts, browsers }),
    accounts,
    audit: {} as AuditLog,
    browsers,
    agents: {} as AgentBundles,
    version: '0.0.0',
    logger: false,
  });
  const document = app.swagger();
  await app.close();
  return `${printed(document)}\n`;
}

const printWidth = 140;

/** JSON as the formatter of this repository prints it: lists of plain values on one line where they fit. */
function printed(value: unknown, indent = '', taken = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    const plain = value.every((item) => typeof item !== 'object');
    if (plain && indent.length + taken + line.length + 1 <= printWidth) return line;
    return `[\n${value.map((item) => deeper + printed(item, deeper)).join(',\n')}\n${indent}]`;
  }
  const lines = Object.entries(value).flatMap(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return item === undefined ? [] : [deeper + name + printed(item, deeper, name.length)];
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}
