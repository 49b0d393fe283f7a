import { items, logLine, type LogLine, LogLines, paint, themeFor } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

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
  const signal = shell.readerGone;
  const filter = instance === undefined ? {} : { instance };
  const found =
    options.follow === true ? client.followLogs(run, { ...filter, signal }) : items((page) => client.logs(run, { ...filter, ...page }));
  for await (const piece of found) {
    if (options.json === true) shell.stdout.write(`${JSON.stringify(piece)}\n`);
    else lines.push(piece).forEach(print);
    if (shell.readerGone.aborted) break;
  }
  lines.flush().forEach(print);
  return 0;
}
