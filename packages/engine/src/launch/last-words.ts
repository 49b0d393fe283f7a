import type { Connector, ConnectorContext } from '../connector/index.ts';
import type { Decision } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';

const linesShown = 12;
const longestLine = 400;
/** What the bootstrap has to say begins with this. A machine that goes down in good order says a lot after it. */
const ours = 'paceline: ';
const ownLines = 4;
/** Of a console: more than that is not read to find its end. */
const mostReads = 128;

/** The last lines that a machine wrote to its console, after the last ones of the bootstrap, fit to be shown; none where the cloud keeps none. */
export async function readLastWords(connector: Connector, id: string, context: ConnectorContext): Promise<string[]> {
  const own: string[] = [];
  /** The line that is not complete yet. */
  let begun = '';
  let tail = '';
  let since = 0;
  for (let reads = 0; reads < mostReads; reads += 1) {
    const piece = await connector.consoleLog?.(id, since, context);
    if (piece === undefined || piece.next === since) break;
    const fresh = begun + piece.text;
    begun = fresh.slice(fresh.lastIndexOf('\n') + 1).slice(-longestLine);
    own.push(
      ...plainLines(fresh.slice(0, fresh.lastIndexOf('\n') + 1)).flatMap((line) =>
        line.includes(ours) ? line.slice(line.indexOf(ours)) : [],
      ),
    );
    tail = (tail + piece.text).slice(-linesShown * longestLine * 2);
    since = piece.next;
  }
  const last = plainLines(tail).slice(-linesShown);
  return [...new Set(own)]
    .filter((line) => !last.some((other) => other.includes(line)))
    .slice(-ownLines)
    .concat(last);
}

/** Without what terminals would make of it. */
function plainLines(text: string): string[] {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b[^[]/g, '')
      .split(/[\r\n]+/)
      // oxlint-disable-next-line no-control-regex
      .map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '').trimEnd())
      .filter((line) => line.trim() !== '')
      .map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line))
  );
}

/** Tells of a machine that has never called home what it has said instead. */
export function lastWordsSaid(instance: Instance, lines: readonly string[]): Decision {
  return (_run, now) =>
    lines.length === 0
      ? []
      : [
          {
            kind: 'event',
            at: now,
            body: {
              type: 'instance.notice',
              severity: 'warning',
              message: `${instance.name}: the end of its console:\n${lines.map((line) => `  ${line}`).join('\n')}`,
              data: { instance: instance.name },
            },
          },
        ];
}
