import { eventLine, type Line, logLine, LogLines, paint, type RunView, themeFor } from '@paceline/door';
import type { Shell } from '../shell.ts';

/** A run as lines that follow each other, for logs and pipes. @param label begins each of them, where others are between them */
export function plainView(shell: Pick<Shell, 'env' | 'stdout' | 'stderr'>, label?: string): RunView {
  const theme = themeFor(shell, shell.stdout);
  const pieces = new LogLines();
  const lead: Line = label === undefined ? [] : [['dim', label], '  '];
  const print = (line: Line): void => void shell.stdout.write(`${paint([...lead, ...line], theme)}\n`);
  return {
    wantsDetails: false,
    detail() {},
    event: (event) => print(eventLine(event)),
    log(piece) {
      for (const line of pieces.push(piece)) print(logLine(line, line.text));
    },
    note: (text) => void shell.stderr.write(`${label === undefined ? '' : `${label}  `}${text}\n`),
    close() {
      for (const line of pieces.flush()) print(logLine(line, line.text));
    },
  };
}
