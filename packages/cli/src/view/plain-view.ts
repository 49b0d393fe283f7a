import { eventLine, type Line, logLine, LogLines, paint, type RunView, themeFor } from '@paceline/door';
import type { Shell } from '../shell.ts';

/** A run as lines that follow each other, for logs and pipes. */
export function plainView(shell: Pick<Shell, 'env' | 'stdout' | 'stderr'>): RunView {
  const theme = themeFor(shell, shell.stdout);
  const pieces = new LogLines();
  const print = (line: Line): void => void shell.stdout.write(`${paint(line, theme)}\n`);
  return {
    wantsDetails: false,
    detail() {},
    event: (event) => print(eventLine(event)),
    log(piece) {
      for (const line of pieces.push(piece)) print(logLine(line, line.text));
    },
    note: (text) => void shell.stderr.write(`${text}\n`),
    close() {
      for (const line of pieces.flush()) print(logLine(line, line.text));
    },
  };
}
