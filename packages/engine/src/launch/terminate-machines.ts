import type { ConnectorError } from '../connector/index.ts';
import type { CallFrame } from './call-limit.ts';
import type { CloudLine } from './cloud-line.ts';
import { toConnectorError } from './connector-failure.ts';
import { isTransient } from './retry.ts';

/** What has become of machines that were to end. Those of neither are going. */
export interface Endings {
  gone: Set<string>;
  /** Why they are still there, by id. */
  refused: Map<string, ConnectorError>;
}

/** Failures in a row after which one of the machines may be what keeps the cloud from answering for all. */
const fewAttempts = 3;

/**
 * Ends machines in one call; when that is refused, in two halves, and so on: one that cannot be ended does not keep the others.
 * @param account in which they are; undefined where there are no accounts
 * @param attempts that have failed before
 */
export async function terminateMachines(
  frame: CallFrame,
  line: CloudLine,
  account: string | undefined,
  ids: readonly string[],
  attempts = 0,
): Promise<Endings> {
  const endings: Endings = { gone: new Set(), refused: new Map() };
  const end = async (some: readonly string[]): Promise<void> => {
    try {
      const results = await line.callIn(frame, account, 'terminate', (context) => line.connector.terminate(some, context));
      for (const { id, gone } of results) if (gone) endings.gone.add(id);
    } catch (cause) {
      const error = toConnectorError(cause);
      if (some.length === 1 || concernsAll(error, attempts)) for (const id of some) endings.refused.set(id, error);
      else for (const half of [some.slice(0, some.length / 2), some.slice(some.length / 2)]) await end(half);
    }
  };
  if (ids.length > 0) await end(ids);
  return endings;
}

/** What keeps the cloud from answering at all would keep it from answering for each of them. */
function concernsAll({ code, details }: ConnectorError, attempts: number): boolean {
  if (details.untouched === true || code === 'auth' || code === 'throttled') return true;
  return isTransient(code) && attempts < fewAttempts;
}
