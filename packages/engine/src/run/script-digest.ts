import { hash } from 'node:crypto';
import type { Script } from '@paceline/model';

const digests = new WeakMap<Script, string>();

/** SHA-256 of a script's text, hexadecimal. */
export function scriptDigest(script: Script): string {
  let digest = digests.get(script);
  if (digest === undefined) digests.set(script, (digest = sha256(script.text)));
  return digest;
}

export function sha256(text: string): string {
  return hash('sha256', text);
}
