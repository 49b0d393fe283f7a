import type { Client, ModuleView } from '@paceline/api';
import { dayAndTime, harmlessLine } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface ModulesOptions extends GlobalOptions {
  copy?: string;
  deprecate?: string;
  restore?: boolean;
  promote?: string;
  demote?: string;
  delete?: boolean;
  json?: boolean;
}

/** `paceline modules`: what is published, all versions of one, or a change to a version. */
export async function modulesCommand([reference]: string[], options: ModulesOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const modules = (await changed(client, reference, options)) ?? (await client.modules.list(reference));
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ modules })}\n`);
  else for (const module of modules) shell.stdout.write(`${lineOf(module)}\n`);
  return 0;
}

/** @returns what the version is after the change; undefined when none is wanted */
async function changed({ modules }: Client, reference: string | undefined, options: ModulesOptions): Promise<ModuleView[] | undefined> {
  const { copy, deprecate, restore, promote, demote, delete: remove } = options;
  const wishes = [copy, deprecate, promote, demote, restore, remove].filter((wish) => wish !== undefined);
  if (wishes.length === 0) return undefined;
  if (reference === undefined || wishes.length > 1)
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'Name one version and one thing to do with it', {
      hint: 'For example `paceline modules shop/web@3 --delete`.',
    });
  if (copy !== undefined) return [await modules.copy(reference, copy)];
  if (deprecate !== undefined) return [await modules.deprecate(reference, deprecate)];
  if (restore === true) return [await modules.deprecate(reference, null)];
  if (promote !== undefined) return [await modules.promote(reference, promote)];
  if (demote !== undefined) await modules.demote(reference, demote);
  else await modules.remove(reference);
  return [];
}

function lineOf({ name, version, channels, kind, title, publishedAt, author, deprecated }: ModuleView): string {
  const exact = [`${name}@${version}`, ...channels.map((channel) => `@${channel}`)].join(' ');
  const what = [exact, kind, dayAndTime(publishedAt), author, title].map(harmlessLine).join('  ').trimEnd();
  return deprecated === null ? what : `${what}  (deprecated: ${harmlessLine(deprecated)})`;
}
