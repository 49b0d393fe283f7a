import type { ConnectorError, TerminateResult } from '../connector/index.ts';
import type { CallFrame } from './call-limit.ts';
import type { CloudLine } from './cloud-line.ts';
import { toConnectorError } from './connector-failure.ts';
import { turns } from '../ssh/turns.ts';
import { isTransient } from './retry.ts';

/** What has become of machines that were to end. Those of neither are going. */
export interface Endings {
  gone: Set<string>;
  /** Why they are still there, by id. */
  refused: Map<string, ConnectorError>;
}

/** Failures in a row after which one of the machines may be what keeps the cloud from answering for all. */
export const fewAttempts = 3;
/** Calls at once for the parts of one batch: those of other runs want to end, too, and to begin. */
const mostAtOnce = 8;

/**
 * Ends machines in one call; when that is refused, in two halves at once, and so on: one that cannot be ended does not keep the others, nor
 * do those that it is asked together with count as a cloud that is broken, since the other half answers meanwhile.
 * @param account in which they are; undefined where there are no accounts
 * @param attempts that have failed before
 * @param onGone told as soon as some are: what one half waits for, the other has not to pay for
 */
export async function terminateMachines(
  frame: CallFrame,
  line: CloudLine,
  account: string | undefined,
  ids: readonly string[],
  attempts: number,
  onGone: (ids: readonly string[]) => Promise<void> = () => Promise.resolve(),
): Promise<Endings> {
  const endings: Endings = { gone: new Set(), refused: new Map() };
  const inTurn = turns(mostAtOnce);
  const end = async (some: readonly string[]): Promise<void> => {
    const call = (): Promise<TerminateResult[]> =>
      line.callIn(frame, account, 'terminate', (context) => line.connector.terminate(some, context));
    const results = await inTurn(call).catch((cause: unknown) => toConnectorError(cause));
    if (results instanceof Error) {
      if (some.length === 1 || concernsAll(results, attempts)) for (const id of some) endings.refused.set(id, results);
      else await Promise.all([some.slice(0, some.length / 2), some.slice(some.length / 2)].map(end));
      return;
    }
    const gone = results.filter((each) => each.gone).map(({ id }) => id);
    for (const id of gone) endings.gone.add(id);
    await onGone(gone);
  };
  if (ids.length > 0) await end(ids);
  return endings;
}

/** What keeps the cloud from answering at all would keep it from answering for each of them. */
function concernsAll({ code, details }: ConnectorError, attempts: number): boolean {
  if (details.untouched === true || code === 'auth' || code === 'throttled') return true;
  return isTransient(code) && attempts < fewAttempts;
}
