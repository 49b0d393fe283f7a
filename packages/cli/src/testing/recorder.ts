import type { Output, Shell } from '../shell.ts';

export interface Recorder extends Shell {
  out(): string;
  err(): string;
}

/** A shell that keeps what is written. */
export function recorder(rest: Partial<Shell> & { terminal?: { columns: number; rows: number } } = {}): Recorder {
  const { terminal, ...shell } = rest;
  const texts = { out: '', err: '' };
  const output = (name: 'out' | 'err'): Output => ({
    write: (text: string | Uint8Array) => {
      texts[name] += String(text);
      return true;
    },
    ...(terminal === undefined ? {} : { isTTY: true, ...terminal }),
  });
  return {
    env: {},
    cwd: '/',
    stdout: output('out'),
    stderr: output('err'),
    now: () => Date.parse('2026-01-01T10:01:15.000Z'),
    readerGone: new AbortController().signal,
    ...shell,
    out: () => texts.out,
    err: () => texts.err,
  };
}
