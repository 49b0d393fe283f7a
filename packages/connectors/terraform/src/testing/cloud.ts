import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { configSchema } from '../config.ts';
import { findTool } from '../tool.ts';

/** Why there is no OpenTofu and no Terraform; undefined if there is one. */
export const reason = whyNot();
if (reason !== undefined) console.warn(`Machines of OpenTofu and Terraform are not tested here: ${reason}`);

function whyNot(): string | undefined {
  try {
    findTool(configSchema.parse({ module: '/', root: '/' }));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

/** A cloud of one of the modules here, which needs no provider but the one that is built in. */
export function openCloud(module: 'processes' | 'difficult', more: Record<string, unknown> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-terraform-'));
  folders.push(folder);
  const copy = join(folder, 'module');
  cpSync(join(import.meta.dirname, module), copy, { recursive: true });
  const machines = mkdtempSync(join(folder, 'machines-'));
  return {
    folder,
    /** The module of this cloud alone. */
    module: copy,
    root: join(folder, 'root'),
    /** What the module makes. */
    machines,
    settings: { module: copy, root: join(folder, 'root'), variables: { folder: machines }, ...more },
    made: () =>
      readdirSync(machines)
        .filter((name) => name.startsWith('server-'))
        .toSorted(),
    contentOf: (name: string) => readFileSync(join(machines, name), 'utf8'),
  };
}
