import type { Client, LogView } from '@paceline/api';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';
import { logLine } from '../view/event-line.ts';
import { LogLines, type LogLine } from '../view/log-lines.ts';
import { paint, themeFor } from '../view/theme.ts';

export interface LogsOptions extends GlobalOptions {
  follow?: boolean;
  instance?: string;
  json?: boolean;
}

/** `paceline logs`: what the scripts of a run wrote, in the order in which it came. */
export async function logsCommand([named]: string[], options: LogsOptions, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const run = await whichRun(client, named);
  const { instance } = options;
  const theme = themeFor(shell, shell.stdout);
  const lines = new LogLines();
  const print = (line: LogLine): void => {
    shell.stdout.write(`${paint(logLine(line, line.text), theme)}\n`);
  };
  for await (const piece of pieces(client, run, options.follow === true, shell.readerGone)) {
    if (instance !== undefined && piece.instance !== instance && !piece.instance.startsWith(`${instance}.`)) continue;
    if (options.json === true) shell.stdout.write(`${JSON.stringify(piece)}\n`);
    else lines.push(piece).forEach(print);
    if (shell.readerGone.aborted) break;
  }
  lines.flush().forEach(print);
  return 0;
}

async function* pieces(client: Client, run: string, follow: boolean, signal: AbortSignal): AsyncGenerator<LogView> {
  if (follow) return yield* client.followLogs(run, { signal });
  for (let page = await client.logs(run, { limit: 1000 }); page.length > 0; page = await client.logs(run, { after: page.at(-1)?.seq ?? 0, limit: 1000 })) yield* page;
}
