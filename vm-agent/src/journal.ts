import { appendFileSync, writeSync } from 'node:fs';
import type { Clock } from './clock.ts';
import type { Masker } from './output/mask.ts';
import { tried } from './tried.ts';

/** The agent's own log; it lies beside those of the scripts and goes home in the report. */
export function journal(file: string, instance: string, masker: Masker, clock: Clock): (line: string) => void {
  return (line) => {
    const text = `${new Date(clock.now()).toISOString()} ${masker.hide(line)}\n`;
    writeLog(`${instance} ${text}`);
    tried(() => appendFileSync(file, text));
  };
}

/** To standard error, which may be a file on a full disk: that is no reason to die. */
export function writeLog(text: string): void {
  tried(() => writeSync(2, text));
}
