import { PacelineError } from '../errors/paceline-error.ts';

/** What `shop/web`, `shop/web@12`, `shop/web@stable` or `shop/web@sha256:…` names among the published modules: the newest without a pin. */
export interface ModuleReference {
  name: string;
  version?: number;
  /** The version that was promoted to it. */
  channel?: string;
  digest?: string;
}

const part = '[A-Za-z0-9][\\w.-]{0,62}';
/** What a channel can be called. */
export const channelPattern = /^(?!sha256$)[a-z][a-z0-9-]{0,31}$/;
const pattern = new RegExp(`^(${part}(?:/${part}){0,9})(?:@(\\d{1,9}|sha256:[0-9a-f]{64}|[a-z][a-z0-9-]*))?$`);

/** The published module that a text names, if it can name one at all. */
export function moduleReference(text: string): ModuleReference | undefined {
  const [, name, pin] = pattern.exec(text) ?? [];
  if (name === undefined || name.length > 200) return undefined;
  if (pin === undefined) return { name };
  if (pin.startsWith('sha256:')) return { name, digest: pin.slice('sha256:'.length) };
  if (/^\d/.test(pin)) return { name, version: Number(pin) };
  return channelPattern.test(pin) ? { name, channel: pin } : undefined;
}

/** @throws PACELINE_REQUEST_INVALID */
export function parseModuleReference(text: string): ModuleReference {
  const reference = moduleReference(text);
  if (reference !== undefined) return reference;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `'${text}' does not name a published module`, {
    hint: 'Write it as `NAME`, `NAME@VERSION`, `NAME@CHANNEL` or `NAME@sha256:DIGEST`.',
  });
}
