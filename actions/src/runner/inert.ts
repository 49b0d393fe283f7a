import { randomBytes } from 'node:crypto';
import { eventLine, harmlessLine, LogLines, logLine, paint, themeFor, type Line, type RunView } from '@paceline/door';

/** Where lines of the log go. */
export type Write = (text: string) => void;

/**
 * Text of machines in the log of a job, where a line like `::set-output name=x::y` is a command to the runner. While such text is
 * written the runner is told to obey nothing but a word that machines cannot know, and that is used once.
 */
export class InertText {
  readonly #write: Write;
  #word: string | undefined;

  constructor(write: Write) {
    this.#write = write;
  }

  line(text: string): void {
    if (this.#word === undefined) {
      this.#word = randomBytes(24).toString('hex');
      this.#write(`::stop-commands::${this.#word}\n`);
    }
    this.#write(`${text}\n`);
  }

  /** From here on the runner obeys again. */
  end(): void {
    if (this.#word !== undefined) this.#write(`::${this.#word}::\n`);
    this.#word = undefined;
  }
}

/** A run in the log of a job: a group for each state, in it what happened and what the scripts wrote. */
export function logView(write: Write, env: NodeJS.ProcessEnv): RunView {
  // The page that shows the log knows colours, though it is no terminal.
  const theme = themeFor({ env }, { isTTY: true });
  const text = new InertText(write);
  const pieces = new LogLines();
  let open = false;
  const print = (line: Line): void => text.line(paint(line, { ...theme, unicode: true }));
  const endGroup = (): void => {
    text.end();
    if (open) write('::endgroup::\n');
    open = false;
  };
  return {
    wantsDetails: false,
    detail() {},
    event(event) {
      if (event.type === 'run.state') {
        endGroup();
        write(`::group::${harmlessLine(event.message)}\n`);
        open = true;
      }
      print(eventLine(event));
    },
    log(piece) {
      for (const line of pieces.push(piece)) print(logLine(line, line.text));
    },
    note: (note) => text.line(note),
    close() {
      for (const line of pieces.flush()) print(logLine(line, line.text));
      endGroup();
    },
  };
}
