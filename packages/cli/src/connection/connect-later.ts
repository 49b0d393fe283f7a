import type { Client } from '@paceline/api';
import type { GlobalOptions, Shell } from '../shell.ts';
import type { ConnectOptions } from './connect.ts';

/**
 * Like `connect`, for commands that may need no server at all: nothing of it is loaded before it is asked for. Asked again, it gives
 * the same client.
 */
export function connectLater(
  globals: GlobalOptions,
  shell: Shell,
  options: () => Promise<ConnectOptions> = async () => ({}),
): () => Promise<Client> {
  let client: Promise<Client> | undefined;
  const connected = async (): Promise<Client> => {
    const { connect } = await import('./connect.ts');
    return connect(globals, shell, await options());
  };
  return () => (client ??= connected());
}
