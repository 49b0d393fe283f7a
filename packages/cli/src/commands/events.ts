import type { Client, EventView } from '@paceline/api';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';
import { eventLine } from '../view/event-line.ts';
import { paint, themeFor } from '../view/theme.ts';

export interface EventsOptions extends GlobalOptions {
  follow?: boolean;
  json?: boolean;
}

/** `paceline events`: what happened in a run. */
export async function eventsCommand([named]: string[], options: EventsOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const run = await whichRun(client, named);
  const theme = themeFor(shell, shell.stdout);
  for await (const event of events(client, run, options.follow === true, shell.readerGone)) {
    shell.stdout.write(`${options.json === true ? JSON.stringify(event) : paint(eventLine(event), theme)}\n`);
    if (shell.readerGone.aborted) break;
  }
  return 0;
}

async function* events(client: Client, run: string, follow: boolean, signal: AbortSignal): AsyncGenerator<EventView> {
  if (follow) return yield* client.followEvents(run, { signal });
  for (let page = await client.events(run, { limit: 1000 }); page.length > 0; page = await client.events(run, { after: page.at(-1)?.seq ?? 0, limit: 1000 })) yield* page;
}
