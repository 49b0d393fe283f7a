import { stripVTControlCharacters } from 'node:util';
import type { LoggerService } from '@backstage/backend-plugin-api';

export type Level = 'info' | 'warn' | 'error';

/** What Backstage puts in place of a secret. */
const hidden = '***';

/** The log of a step of a task. What a back end has written there before it died is not written again by the one that goes on. */
export class TaskLog {
  readonly #logger: LoggerService;
  readonly #past: string[] = [];
  readonly #known = new Map<string, number>();

  /** @param past what the log has already, in the form in which Backstage keeps it: `info: text`, perhaps in colours */
  constructor(logger: LoggerService, past: readonly string[]) {
    this.#logger = logger;
    for (const line of past.map(stripVTControlCharacters)) {
      if (line.includes(hidden)) this.#past.push(line);
      else this.#known.set(line, (this.#known.get(line) ?? 0) + 1);
    }
  }

  /** Says something that is said in every attempt at the step, in whatever order. */
  say(level: Level, text: string): void {
    if (!this.#wasSaid(stripVTControlCharacters(`${level}: ${text}`))) this.#logger[level](text);
  }

  /** Says something about this attempt. */
  note(text: string): void {
    this.#logger.warn(text);
  }

  #wasSaid(line: string): boolean {
    const left = this.#known.get(line) ?? 0;
    if (left > 0) {
      this.#known.set(line, left - 1);
      return true;
    }
    const at = this.#past.findIndex((said) => fits(said, line));
    if (at >= 0) this.#past.splice(at, 1);
    return at >= 0;
  }
}

/** Whether a line is what was said with its secrets hidden. */
function fits(said: string, line: string): boolean {
  const [first = '', ...parts] = said.split(hidden);
  const last = parts.pop();
  if (last === undefined || !line.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = line.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return line.length - last.length >= at && line.endsWith(last);
}
