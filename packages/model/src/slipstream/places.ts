import { posix } from 'node:path';
import { PacelineError } from '../errors/paceline-error.ts';
import { labelPattern } from '../schema/names.ts';
import type { Element } from './xml.ts';

/** Where a module of SlipStream is: `module/examples/apache/12` is the folder `examples/apache`, in version 12. */
export interface ModuleUri {
  folder: string;
  version?: string;
}

const part = /^(?!\.{1,2}$)[\w.+-]+$/;

/** @returns undefined for what is no URI of a module */
export function parseUri(uri: string): ModuleUri | undefined {
  const parts = uri.replace(/^\/?module\//, '').split('/');
  const version = parts.length > 1 && /^\d+$/.test(parts.at(-1) ?? '') ? parts.pop() : undefined;
  if (parts.length === 0 || !parts.every((one) => part.test(one))) return undefined;
  return { folder: parts.join('/'), ...(version === undefined ? {} : { version }) };
}

/** The folder of a module, by its parent and its name. @throws PACELINE_MODULE_INVALID */
export function folderOf(file: string, root: Element): string {
  const name = root.attribute('shortName') ?? root.attribute('name');
  const parent = (root.attribute('parentUri') ?? 'module').replace(/^\/?module\/?/, '');
  const parts = [...parent.split('/').filter(Boolean), name ?? ''];
  if (isPlace(parts)) return parts.join('/');
  throw new PacelineError('PACELINE_MODULE_INVALID', `${file}: ${JSON.stringify(parts.join('/'))} cannot be the place of a module`, {
    hint: 'A module has a `shortName` of letters, digits, `_`, `.` and `-`, and a `parentUri` that begins with `module/`.',
  });
}

/** Where a module of ours is in SlipStream: of several in one file, each is below the file. @throws PACELINE_MODULE_INVALID */
export function placeOf(name: string): string {
  const place = name.replace('#', '/');
  if (isPlace(place.split('/'))) return place;
  const isOutside = place.startsWith('../');
  throw new PacelineError('PACELINE_MODULE_INVALID', `${JSON.stringify(name)} cannot be the place of a module in SlipStream`, {
    hint: isOutside
      ? 'Put a project.yaml into the folder that all modules are in: places are relative to it.'
      : 'There, folders and modules have names of letters, digits, `_`, `.`, `+` and `-`.',
  });
}

function isPlace(parts: readonly string[]): boolean {
  return parts.every((one) => part.test(one)) && labelPattern.test(parts.at(-1) ?? '');
}

/** How a module in one folder refers to one in another. */
export function relativeTo(from: string, to: string): string {
  const path = posix.relative(from, to);
  return path.startsWith('.') ? path : `./${path}`;
}
