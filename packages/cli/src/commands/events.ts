import { eventLine, items, paint, themeFor } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface EventsOptions extends GlobalOptions {
  follow?: boolean;
  json?: boolean;
}

/** `paceline events`: what happened in a run. */
export async function eventsCommand([named]: string[], options: EventsOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const run = await whichRun(client, named);
  const theme = themeFor(shell, shell.stdout);
  const signal = shell.readerGone;
  const found = options.follow === true ? client.followEvents(run, { signal }) : items((page) => client.events(run, page));
  for await (const event of found) {
    shell.stdout.write(`${options.json === true ? JSON.stringify(event) : paint(eventLine(event), theme)}\n`);
    if (shell.readerGone.aborted) break;
  }
  return 0;
}
