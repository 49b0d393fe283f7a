import type { RunView } from '@paceline/door';
import type { Shell } from '../shell.ts';
import { liveView } from './live-view.ts';

/** The tree on a terminal; elsewhere only what went wrong is worth a line, for the result says the rest. */
export function liveOrSilent(shell: Shell, json: boolean): RunView {
  if (!json && shell.stdout.isTTY === true && shell.env['TERM'] !== 'dumb') return liveView(shell);
  return { wantsDetails: false, detail() {}, event() {}, log() {}, note: (text) => void shell.stderr.write(`${text}\n`), close() {} };
}
