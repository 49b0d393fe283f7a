import { appendFileSync } from 'node:fs';
import type { Clock } from './clock.ts';
import type { Masker } from './output/mask.ts';

/** The agent's own log; it lies beside those of the scripts and goes home in the report. */
export function journal(file: string, instance: string, masker: Masker, clock: Clock): (line: string) => void {
  return (line) => {
    const text = `${new Date(clock.now()).toISOString()} ${masker.hide(line)}\n`;
    process.stderr.write(`${instance} ${text}`);
    try {
      appendFileSync(file, text);
    } catch {}
  };
}
