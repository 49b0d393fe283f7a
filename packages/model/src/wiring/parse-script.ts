import { parse } from 'unbash';
import type { Range } from '../source/source-text.ts';
import { type Flow, sequence, unreadIn } from './flow.ts';
import { mentionsSet } from './other-command.ts';
import { unread } from './reader-scope.ts';
import { type Blind, ScriptReader } from './script-reader.ts';
import { firstOptions } from './shell-options.ts';

/** What a script does with parameters. */
export interface ParsedScript {
  flow: Flow;
  notChecked: Blind[];
  /** It may set parameters that cannot be read from its text: `ss-set "$name"`, another language. */
  mayAlsoSet: boolean;
  /** It may set those of other machines: a command for another machine. */
  setsElsewhere: boolean;
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
  const blind = (message: string): ParsedScript =>
    read(/ss-(set|random)|slipstream|\/run\//i.test(text) ? unread.own : unread['hardly-own'], [{ range: [0, first.length], message }]);
  if (first.startsWith('#!') && !/^#!\s*(\S*\/)?(env\s+(-\S+\s+)*)?(sh|bash|dash|ash|ksh|busybox\s+sh)(\s|$)/.test(first)) {
    const interpreter = first.slice(2).trim();
    return blind(`The script is for ${interpreter}, not for a shell: it is not checked.`);
  }
  if (text.length > largest) return blind('The script is too long to be checked.');
  try {
    const script = parse(text);
    const reader = new ScriptReader(script, firstOptions(first));
    const flow = reader.read();
    const errors = (script.errors ?? []).slice(0, 3).map(({ message, pos }) => ({ message, range: [pos, pos + 1] as const }));
    // What comes behind a mistake may have been taken for something else.
    const missed = errors.length > 0 && mentionsSet(text);
    return read(missed ? sequence([unread.own, flow]) : flow, reader.notChecked, errors);
  } catch {
    return blind('The script is nested too deeply to be checked.');
  }
}

function read(flow: Flow, notChecked: Blind[], errors: ParsedScript['errors'] = []): ParsedScript {
  const sets = unreadIn(flow);
  return {
    flow,
    notChecked,
    errors,
    mayAlsoSet: sets.some((one) => one === 'own' || one === 'any'),
    setsElsewhere: sets.includes('any'),
    runsOthers: sets.includes('hardly-own'),
  };
}
