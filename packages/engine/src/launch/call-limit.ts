import type { Clock } from '../clock.ts';
import { ConnectorError, type ConnectorContext, type ConnectorLog } from '../connector/index.ts';

/** What every call to a cloud is made with. */
export interface CallFrame {
  clock: Clock;
  log: ConnectorLog;
  /** What is aborted, with the reason, when nothing may be asked any more. It is another one when something may be asked again. */
  signal(): AbortSignal;
}

/** How long each call may take, in milliseconds. What has not answered by then may have had its effect all the same. */
const limits = {
  launch: 5 * 60_000,
  list: 2 * 60_000,
  terminate: 2 * 60_000,
  describe: 60_000,
  consoleLog: 15_000,
  resize: 5 * 60_000,
  attachDisk: 5 * 60_000,
  detachDisk: 5 * 60_000,
  // The first snapshot of a large disk takes hours. A run that comes to its end gives it up.
  createImage: 6 * 3_600_000,
  resolveImage: 5 * 60_000,
  probe: 30_000,
};

export type CallKind = keyof typeof limits;

/** Gives a call up when its time is over, also one that does not listen to its signal. @throws ConnectorError */
export async function withinLimit<T>(frame: CallFrame, kind: CallKind, call: (context: ConnectorContext) => Promise<T>): Promise<T> {
  const { clock, log } = frame;
  const signal = frame.signal();
  // A controller of its own: signals that are composed of others are kept for as long as a connector has a listener on them.
  const given = Promise.withResolvers<never>();
  const giveUp = new AbortController();
  const cancel = clock.after(limits[kind], () => {
    giveUp.abort();
    given.reject(new ConnectorError('timeout', `the cloud has not answered to ${kind} within ${limits[kind] / 1000} s`));
  });
  const onStop = (): void => {
    giveUp.abort();
    given.reject(new ConnectorError('unavailable', (signal.reason as Error).message));
  };
  signal.addEventListener('abort', onStop);
  if (signal.aborted) onStop();
  const context = { signal: giveUp.signal, log, now: () => clock.now() };
  try {
    return await Promise.race([call(context), given.promise]);
  } finally {
    cancel();
    signal.removeEventListener('abort', onStop);
  }
}
