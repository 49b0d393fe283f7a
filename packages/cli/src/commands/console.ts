import { setTimeout as pause } from 'node:timers/promises';
import { HarmlessStream } from '@paceline/door';
import { isPacelineError } from '@paceline/model';
import { connect } from '../connection/connect.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface ConsoleOptions extends GlobalOptions {
  follow?: boolean;
}

/** Consoles are read from clouds, which tell nobody that there is more. */
const lookEveryMs = 2000;

/** `paceline console`: what a machine wrote to its console. */
export async function consoleCommand(
  [run = '', instance = '']: string[],
  { follow, ...options }: ConsoleOptions,
  shell: Shell,
): Promise<number> {
  const client = await connect(options, shell);
  const text = new HarmlessStream();
  let since = 0;
  for (let rounds = 0; !shell.readerGone.aborted; rounds++) {
    const piece = await client.machines.console(run, instance, since).catch((error: unknown) => {
      // Whoever follows a machine to its end has seen all of it.
      if (rounds > 0 && isPacelineError(error) && error.code === 'PACELINE_CONFLICT') return undefined;
      throw error;
    });
    if (piece === undefined) return 0;
    shell.stdout.write(text.push(piece.text));
    const isMore = piece.next !== since;
    since = piece.next;
    if (isMore) continue;
    if (follow !== true) return 0;
    await pause(lookEveryMs, undefined, { signal: shell.readerGone }).catch(() => {});
  }
  return 0;
}
