import type { RunDetail } from '@paceline/api';
import { eventLine, type Line, logLine, type LogLine, LogLines, paint, type RunView, themeFor } from '@paceline/door';
import type { Shell } from '../shell.ts';
import { runTree } from './run-tree.ts';

const redrawMs = 100;
/** The clock of the run moves although nothing happens. */
const clockMs = 1000;

/** A run as a tree that is drawn over and over at the bottom of the terminal; what is worth keeping scrolls by above it. */
export function liveView(shell: Pick<Shell, 'env' | 'stdout' | 'now'>): RunView {
  const { stdout } = shell;
  const theme = themeFor(shell, stdout);
  const pieces = new LogLines();
  let above: Line[] = [];
  let run: RunDetail | undefined;
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;

  const draw = (): void => {
    timer = undefined;
    const columns = (stdout.columns ?? 80) - 1;
    const rows = (stdout.rows ?? 24) - 1;
    const tree = run === undefined ? [] : runTree(run, { theme, now: shell.now(), rows });
    const lines = [...above.map((line) => paint(line, theme)), ...tree.map((line) => paint(line, theme, columns))];
    const home = drawn === 0 ? '' : `\u001b[${drawn}A`;
    stdout.write(`${home}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}`);
    above = [];
    drawn = tree.length;
  };
  const soon = (): void => void (timer ??= setTimeout(draw, redrawMs));
  const clock = setInterval(soon, clockMs);
  const print = (line: Line): void => {
    above.push(line);
    soon();
  };
  const printLog = (line: LogLine): void => print(logLine(line, line.text));
  return {
    wantsDetails: true,
    detail(found) {
      run = found;
      soon();
    },
    event(event) {
      if (event.severity !== 'info') print(eventLine(event));
    },
    log: (piece) => pieces.push(piece).forEach(printLog),
    note: (text) => print([['yellow', text]]),
    close() {
      clearInterval(clock);
      pieces.flush().forEach(printLog);
      clearTimeout(timer);
      draw();
      drawn = 0;
    },
  };
}
