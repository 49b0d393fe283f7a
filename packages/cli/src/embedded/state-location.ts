import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { GlobalOptions, Shell } from '../shell.ts';

/** The state directory: as told, else where the platform keeps what programs have to remember. */
export function stateLocation({ state }: GlobalOptions, { env, cwd }: Pick<Shell, 'env' | 'cwd'>): string {
  const told = state ?? env['PACELINE_STATE_DIR'];
  if (told !== undefined && told !== '') return resolve(cwd, told);
  const base = env['XDG_STATE_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.local', 'state'), 'paceline');
}
