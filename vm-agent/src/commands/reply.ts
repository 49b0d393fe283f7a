import type { OpResult } from '@paceline/api/agent';

/** What a command prints and exits with. `both`: one line for stderr, the rest for stdout. */
export interface Reply {
  code: number;
  to: 'out' | 'err' | 'both' | 'none';
  text: string;
}

/** Not yet: print `text`, if any, to stderr and ask again with this deadline (milliseconds since 1970; 0 for none). */
export interface NotYet {
  deadline: number;
  text: string;
}

export const nothing: Reply = { code: 0, to: 'none', text: '' };

export function output(text: string, code = 0): Reply {
  return { code, to: 'out', text };
}

/** In the words of SlipStream's commands; the last line is what an abort shows. */
export function failed(code: number, message: string): Reply {
  return { code, to: 'err', text: `\nError: ${message}` };
}

export type FailedResult = Extract<OpResult, { status: 'error' }>;

/** The exit codes of SlipStream's commands. */
function exitCodeOf(httpStatus: number): number {
  if (httpStatus === 409) return 8;
  if (httpStatus === 412) return 1;
  if (httpStatus === 401 || httpStatus === 403) return 6;
  return httpStatus >= 500 ? 5 : 7;
}

export function refused({ httpStatus, message }: FailedResult): Reply {
  const code = exitCodeOf(httpStatus);
  if (code === 1) return { code, to: 'err', text: `\n${message}` };
  if (code === 6) return { code, to: 'err', text: `\nSecurity Error: ${message}` };
  return failed(code, message);
}

/** Of what only has to be done: nothing, unless it was refused. */
export function acknowledged(result: OpResult): Reply {
  return result.status === 'error' ? refused(result) : nothing;
}

/** One line for the shim, then the text. */
export function encodeReply(reply: Reply | NotYet): string {
  return 'deadline' in reply ? `wait ${reply.deadline}\n${reply.text}` : `${reply.code} ${reply.to}\n${reply.text}`;
}
