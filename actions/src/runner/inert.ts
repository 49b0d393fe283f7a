import { eventLine, harmlessLine, LogLines, logLine, paint, themeFor, type Line, type RunView } from '@paceline/door';
import type { StepOutput } from './output.ts';

/** A run in the log of a job: a group for each state, in it what happened and what the scripts wrote. */
export function logView(output: StepOutput, env: NodeJS.ProcessEnv): RunView {
  // The page that shows the log knows colours, though it is no terminal.
  const theme = themeFor({ env }, { isTTY: true });
  const pieces = new LogLines();
  let open = false;
  const print = (line: Line): void => output.inert(paint(line, { ...theme, unicode: true }));
  const endGroup = (): void => {
    output.obey();
    if (open) output.command('::endgroup::');
    open = false;
  };
  return {
    wantsDetails: false,
    detail() {},
    event(event) {
      if (event.type === 'run.state') {
        endGroup();
        output.command(`::group::${harmlessLine(event.message)}`);
        open = true;
      }
      print(eventLine(event));
    },
    log(piece) {
      for (const line of pieces.push(piece)) print(logLine(line, line.text));
    },
    note: (note) => output.inert(note),
    close() {
      for (const line of pieces.flush()) print(logLine(line, line.text));
      endGroup();
    },
  };
}
