import type { LogView } from '@paceline/api';

export interface LogLine {
  key: string;
  instance: string;
  stream: LogView['stream'];
  text: string;
}

// What moves cursors and colours terminals means nothing here.
// oxlint-disable-next-line no-control-regex
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** Pieces of output as whole lines: a line may come in several pieces, with those of other machines in between. */
export function linesOf(pieces: readonly LogView[]): LogLine[] {
  const lines: LogLine[] = [];
  /** The line of each source that has no end yet. */
  const open = new Map<string, LogLine>();
  for (const { seq, instance, source, stream, text } of pieces) {
    const origin = `${instance}\n${source}\n${stream}`;
    const parts = text.replaceAll('\r\n', '\n').split('\n');
    for (const [index, part] of parts.entries()) {
      const begun = open.get(origin);
      if (begun !== undefined) begun.text += part.replaceAll(escapes, '');
      else if (index < parts.length - 1 || part !== '') {
        const line = { key: `${seq}-${index}`, instance, stream, text: part.replaceAll(escapes, '') };
        lines.push(line);
        open.set(origin, line);
      }
      if (index < parts.length - 1) open.delete(origin);
    }
  }
  return lines;
}
