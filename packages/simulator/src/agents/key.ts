import { createHash } from 'node:crypto';
import type { Random } from '../kernel/random.ts';

/** A key as agents make them: it names its run, so that an engine can tell whom to ask. */
export function newKey(run: string, random: Random): string {
  return `pla_${run}_${random.hex(32)}`;
}

export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
