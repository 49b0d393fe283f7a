import { ConnectorError, isConnectorError, type ConnectorErrorCode } from '@paceline/engine/connector';

const causes: Record<string, { code: ConnectorErrorCode; hint: string }> = {
  ENOSPC: { code: 'capacity', hint: 'Free some disk space or set `root` to a directory on another disk.' },
  EDQUOT: { code: 'capacity', hint: 'Your disk quota is used up: free some space or set `root` elsewhere.' },
  ENOMEM: { code: 'capacity', hint: 'This host is out of memory: run fewer machines at once.' },
  EAGAIN: { code: 'capacity', hint: 'This host lets you start no more processes (see `ulimit -u`): run fewer machines at once.' },
  EMFILE: { code: 'capacity', hint: 'Too many open files (see `ulimit -n`): launch fewer machines at once.' },
  ENFILE: { code: 'capacity', hint: 'The host has too many open files: run fewer machines at once.' },
  EACCES: {
    code: 'forbidden',
    hint: 'Set `root` to a directory that you may write to; files made by another user are theirs to remove.',
  },
  EPERM: {
    code: 'forbidden',
    hint: 'Set `root` to a directory that you may write to; files made by another user are theirs to remove.',
  },
  EROFS: { code: 'forbidden', hint: 'Set `root` to a directory on a file system that can be written to.' },
  ENAMETOOLONG: { code: 'invalid', hint: 'Set `root` to a shorter path.' },
  ENOTDIR: { code: 'invalid', hint: 'Set `root` to a directory.' },
};

/** Turns anything thrown into a ConnectorError that says what was being done. */
export function toConnectorError(thrown: unknown, doing: string): ConnectorError {
  if (isConnectorError(thrown)) {
    return thrown;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const errno = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  const known = errno === undefined ? undefined : causes[errno];
  return new ConnectorError(known?.code ?? 'internal', `Could not ${doing}: ${message}`, {
    cause: thrown,
    ...(known && { hint: known.hint }),
    ...(errno !== undefined && { provider: { code: errno } }),
  });
}

export function hasCode(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}

/** The value, or undefined when the file is not there. */
export async function unlessMissing<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

/** Stops a call that nobody waits for. What it did so far stays: the engine looks it up by the token. */
export function checkAborted(signal: AbortSignal, doing: string): void {
  if (signal.aborted) {
    throw new ConnectorError('timeout', `Gave up to ${doing}: the call was aborted`, { cause: signal.reason });
  }
}

/** What a call has thrown before it made or changed anything: nothing has to be looked for. */
export function untouched(thrown: unknown): unknown {
  return isConnectorError(thrown) ? new ConnectorError(thrown.code, thrown.message, { ...thrown.details, untouched: true }) : thrown;
}
