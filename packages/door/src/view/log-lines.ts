import type { LogView } from '@paceline/api';
import { harmless } from './harmless.ts';

/** A line without end is shown in parts: it must not fill memory. */
const longestLine = 64 * 1024;

export interface LogLine extends Pick<LogView, 'instance' | 'source' | 'stream' | 'at'> {
  text: string;
}

/** Puts the pieces of output that come from many scripts at once together to lines, harmless ones. */
export class LogLines {
  readonly #rests = new Map<string, LogLine>();

  /** @returns the lines that end in this piece */
  push({ instance, source, stream, at, text }: LogView): LogLine[] {
    const id = `${instance} ${source} ${stream}`;
    const parts = ((this.#rests.get(id)?.text ?? '') + text).split('\n');
    const rest = parts.pop() ?? '';
    const whole = rest.length > longestLine;
    if (rest === '' || whole) this.#rests.delete(id);
    else this.#rests.set(id, { instance, source, stream, at, text: rest });
    return [...parts, ...(whole ? [rest] : [])].map((line) => ({ instance, source, stream, at, text: shown(line) }));
  }

  /** The last lines, which were not ended. */
  flush(): LogLine[] {
    const rests = [...this.#rests.values()].map((line) => ({ ...line, text: shown(line.text) }));
    this.#rests.clear();
    return rests;
  }
}

/** A progress bar draws over its line with CR: what stays on the screen is what comes after the last one. */
function shown(line: string): string {
  const drawn = line.replace(/\r+$/, '');
  return harmless(drawn.slice(drawn.lastIndexOf('\r') + 1)).replaceAll('\t', '    ');
}
