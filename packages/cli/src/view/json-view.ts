import type { RunView } from '@paceline/door';
import type { Shell } from '../shell.ts';

/**
 * A run as JSON, one object per line: events as the server tells them, output of scripts with the type `log`.
 * @param label is in each of them, where others are between them
 */
export function jsonView(shell: Pick<Shell, 'stdout' | 'stderr'>, label?: { cloud: string }): RunView {
  const print = (data: object): void => void shell.stdout.write(`${JSON.stringify({ ...label, ...data })}\n`);
  return {
    wantsDetails: false,
    detail() {},
    event: print,
    log: (piece) => print({ type: 'log', ...piece }),
    note: (text) => void shell.stderr.write(`${text}\n`),
    close() {},
  };
}
