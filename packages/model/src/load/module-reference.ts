import { PacelineError } from '../errors/paceline-error.ts';

/** What `shop/web`, `shop/web@12` or `shop/web@sha256:…` names among the published modules. */
export interface ModuleReference {
  name: string;
  /** The newest when neither this nor the digest is given. */
  version?: number;
  digest?: string;
}

const part = '[A-Za-z0-9][\\w.-]{0,62}';
const pattern = new RegExp(`^(${part}(?:/${part}){0,9})(?:@(\\d{1,9}|sha256:[0-9a-f]{64}))?$`);

/** The published module that a text names, if it can name one at all. */
export function moduleReference(text: string): ModuleReference | undefined {
  const [, name, pin] = pattern.exec(text) ?? [];
  if (name === undefined || name.length > 200) return undefined;
  if (pin === undefined) return { name };
  return pin.startsWith('sha256:') ? { name, digest: pin.slice('sha256:'.length) } : { name, version: Number(pin) };
}

/** @throws PACELINE_REQUEST_INVALID */
export function parseModuleReference(text: string): ModuleReference {
  const reference = moduleReference(text);
  if (reference !== undefined) return reference;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `'${text}' does not name a published module`, {
    hint: 'Write it as `NAME`, `NAME@VERSION` or `NAME@sha256:DIGEST`.',
  });
}
