import { parse } from 'unbash';
import { type Flow, nothing } from './flow.ts';
import type { Range } from '../source/source-text.ts';
import { ScriptReader } from './script-reader.ts';

/** A part of a script that the check cannot see into. */
export interface Blind {
  range: Range;
  message: string;
}

/** What a script does with parameters. */
export interface ParsedScript {
  flow: Flow;
  notChecked: Blind[];
  /** It may set parameters that cannot be read from its text: `ss-set "$name"`, another language. */
  mayAlsoSet: boolean;
  /** It runs other programs, which might set parameters too. */
  runsOthers: boolean;
  errors: { range: Range; message: string }[];
}

const largest = 256 * 1024;

/**
 * Reads a script as the shell would, without running it. Scripts in other languages are not looked into.
 * Never throws.
 */
export function parseScript(text: string): ParsedScript {
  const [first = ''] = text.split('\n', 1);
  const blind = (message: string): ParsedScript => ({
    flow: nothing,
    notChecked: [{ range: [0, first.length], message }],
    mayAlsoSet: /ss-(set|random)|slipstream|\/run\//i.test(text),
    runsOthers: true,
    errors: [],
  });
  if (first.startsWith('#!') && !/^#!\s*(\S*\/)?(env\s+(-\S+\s+)*)?(sh|bash|dash|ash|ksh|busybox\s+sh)(\s|$)/.test(first)) {
    const interpreter = first.slice(2).trim();
    return blind(`The script is for ${interpreter}, not for a shell: it is not checked.`);
  }
  if (text.length > largest) return blind('The script is too long to be checked.');
  try {
    const script = parse(text);
    const reader = new ScriptReader(script);
    const flow = reader.read();
    const errors = (script.errors ?? []).slice(0, 3).map(({ message, pos }) => ({ message, range: [pos, pos + 1] as const }));
    return {
      flow,
      notChecked: reader.notChecked,
      mayAlsoSet: reader.mayAlsoSet,
      runsOthers: reader.runsOthers,
      errors,
    };
  } catch {
    return blind('The script is nested too deeply to be checked.');
  }
}
