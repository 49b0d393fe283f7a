import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repository } from '../../support/system.ts';

/** What the runner reads of an action.yml. */
export interface ActionFile {
  inputs: Record<string, { description: string; default?: string; required?: boolean }>;
  outputs?: Record<string, { description: string }>;
  runs: { using: string; main: string; post?: string };
}

export const actionsFolder = join(repository, 'actions');

export function readAction(name: string, folder = actionsFolder): ActionFile {
  return parse(readFileSync(join(folder, name, 'action.yml'), 'utf8')) as ActionFile;
}
