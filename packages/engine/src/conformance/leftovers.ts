import { setTimeout as pause } from 'node:timers/promises';
import { isConnectorError, type Connector, type Resource } from '../connector/index.ts';
import { isTransient } from '../launch/retry.ts';
import { deadlineIn, unlessAborted } from './deadline.ts';

export interface Ending {
  /** How long all of it may take, in milliseconds, beside `settleMs`. */
  patienceMs: number;
  /** How long the cloud may hide what was made last, in milliseconds: nothing is believed to be gone before. @default 0 */
  settleMs?: number;
  /** Nobody waits for it any more. */
  signal?: AbortSignal;
}

const lookEveryMs = 50;

/**
 * Ends all that is there of an engine: machines first, then what was held by them.
 * @returns what it has ended, by id
 * @throws ConnectorError, the reason of the signal, or when something is still there at the end of its time
 */
export async function endAllOf(
  connector: Connector,
  engine: string,
  { patienceMs, settleMs = 0, signal: interrupted }: Ending,
): Promise<string[]> {
  const begun = Date.now();
  using deadline = deadlineIn(settleMs + patienceMs, 'to end what is left has taken');
  const signal = AbortSignal.any([deadline.signal, ...(interrupted === undefined ? [] : [interrupted])]);
  const context = { signal, now: Date.now, log: { info: () => undefined, warn: () => undefined } };
  const seen = new Set<string>();
  let left: Resource[] = [];
  let failure: unknown;
  const look = async (): Promise<boolean> => {
    left = await listOf(connector, { engine }, context);
    for (const { id } of left) seen.add(id);
    const machines = left.filter(({ kind }) => kind === 'machine').map(({ id }) => id);
    if (machines.length > 0) await connector.terminate(machines, context);
    else for (const resource of left.toReversed()) await connector.remove?.(resource, context);
    return left.length === 0 && Date.now() >= begun + settleMs;
  };
  while (!signal.aborted) {
    try {
      if (await unlessAborted(signal, look())) return [...seen];
    } catch (cause) {
      if (!signal.aborted && !mayPass(cause)) throw cause;
      failure = cause;
    }
    await pause(lookEveryMs);
  }
  interrupted?.throwIfAborted();
  const names = left.map(({ kind, id }) => `${kind} ${id}`).join(', ');
  const waited = `after ${settleMs + patienceMs} ms`;
  throw new Error(names === '' ? `it was not known ${waited} what is left` : `still there ${waited}: ${names}`, { cause: failure });
}

/** All that a query selects, but for machines that are no more. */
export async function listOf(connector: Connector, ...[query, context]: Parameters<Connector['list']>): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const resource of connector.list(query, context)) if (resource.machine?.state !== 'terminated') found.push(resource);
  return found;
}

/** Something that is held by what is still going is let go of later. */
function mayPass(error: unknown): boolean {
  return isConnectorError(error) && (error.code === 'conflict' || isTransient(error.code));
}
