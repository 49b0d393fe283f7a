import type { Finding } from '../source/diagnostic.ts';
import { moduleReference } from './module-reference.ts';

/** A reference to a module, as `extends:` and `image:` write it. */
export type Reference = FileReference | PublishedReference;

/** A module of the files. */
export interface FileReference {
  /** Relative path; empty for the same file. */
  path: string;
  /** The `metadata.name` that is meant in a file of several documents. */
  fragment?: string;
  /** The digest that the module must have. */
  digest?: string;
  /** What is meant when there is no such file: `NAME` and `NAME@sha256:…` can be either. */
  published?: string;
}

/** A version of a published module, `NAME@VERSION` or `NAME@CHANNEL`: no file is called so. */
export interface PublishedReference {
  published: string;
}

/**
 * Reads `path`, `path#name`, `#name`, each with or without `@sha256:<64 hexadecimal digits>` at the end, and the names of published
 * modules, with or without `@VERSION`, `@CHANNEL` or `@sha256:…`.
 * @returns the reference, or what is wrong with it
 */
export function parseReference(text: string): Reference | Finding {
  const [, rest = text, pin] = /^(.*?)@(sha256:.*|\d+)$/s.exec(text) ?? [];
  const published = moduleReference(text);
  if (published?.version !== undefined || published?.channel !== undefined) return { published: text };
  if (pin !== undefined && !/^sha256:[0-9a-f]{64}$/.test(pin)) {
    return /^\d+$/.test(pin)
      ? {
          message: `Version numbers such as \`@${pin}\` belong to published modules, not to files.`,
          hint: 'Write the name of a published module as `NAME@VERSION`. Pin a file by its content, `path@sha256:…`: `paceline plan --json` shows the digest.',
        }
      : { message: 'A pin is `@sha256:` and 64 hexadecimal digits.' };
  }
  const hash = rest.indexOf('#');
  const path = hash === -1 ? rest : rest.slice(0, hash);
  const fragment = hash === -1 ? undefined : rest.slice(hash + 1);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path))
    return { message: 'A module is referred to by a relative path or by the name that it is published under, not by a URL.' };
  if (path.startsWith('/') || /^[a-z]:[\\/]/i.test(path))
    return { message: 'A module is referred to by a relative path, not by an absolute one.' };
  if (path === '' && !fragment) return { message: 'The reference is empty.', hint: 'Write a relative path such as `../apache`.' };
  return {
    path,
    ...(fragment ? { fragment } : {}),
    ...(pin === undefined ? {} : { digest: pin.slice('sha256:'.length) }),
    ...(published === undefined || /\.ya?ml$/.test(path) ? {} : { published: text }),
  };
}
